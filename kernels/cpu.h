// What this processor can do, and which instruction set the kernels use.
//
// Knows: CPU feature bits, the EDGEWARD_ISA override. Does not know: any kernel.
#pragma once

#include <string>
#include <vector>

namespace edgeward {

// Ordered from the one that always runs to the best; a kernel takes the best it was built for.
enum class Isa { kGeneric = 0, kAvx2 = 1, kAvx512 = 2, kNeon = 3 };

// "generic", "avx2", "avx512", "neon".
const char* isa_name(Isa isa);

// Instruction sets that were compiled in and that this processor and system can run, worst first.
std::vector<Isa> supported_isas();

// The one in use: the best supported, or the one named by EDGEWARD_ISA. Decided at the first call.
// Throws std::invalid_argument when EDGEWARD_ISA names an unknown or unsupported set.
Isa active_isa();

// Feature names that matter for speed, as /proc/cpuinfo spells them; for reports and receipts.
std::vector<std::string> cpu_features();

}  // namespace edgeward
