// What this processor can do, and which instruction set the kernels use.
//
// Knows: CPU feature bits, the EDGEWARD_ISA override. Does not know: any kernel.
#pragma once

#include <string>
#include <vector>

namespace edgeward {

// Ordered from the one that always runs to the best; a kernel takes the best it was built for.
// kAvxVnni: AVX2 with 256-bit dot products. kNeon: with dot products. kI8mm: with products of
// int8 matrices as well.
enum class Isa { kGeneric = 0, kAvx2 = 1, kAvx512 = 2, kNeon = 3, kAvxVnni = 4, kI8mm = 5 };

// "generic", "avx2", "avxvnni", "avx512", "neon", "i8mm".
const char* isa_name(Isa isa);

// Instruction sets that were compiled in and that this processor and system can run, worst first.
std::vector<Isa> supported_isas();

// The one in use: the best supported, or the one named by EDGEWARD_ISA. Decided at the first call.
// Throws std::invalid_argument when EDGEWARD_ISA names an unknown or unsupported set.
Isa active_isa();

// Feature names that matter for speed, as /proc/cpuinfo spells them; for reports and receipts.
std::vector<std::string> cpu_features();

}  // namespace edgeward
