// What this machine can do at most, for benches: dot products, fused multiply-adds, reading.
//
// Knows: the instructions that the operators are made of. Does not know: the operators, clocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.h"

namespace edgeward::ops {

// Each works on the calling thread only. Sixteen independent sums (twelve where there are sixteen
// registers), so that the latency of an instruction does not show.
struct Limits {
    // Multiplies and adds int8; returns how many operations that was (two a product).
    double (*dots)(std::size_t rounds);
    // The same in float32.
    double (*fmas)(std::size_t rounds);
    // Reads `bytes` (a multiple of 256) from memory aligned to 64; returns something that depends
    // on all of them.
    std::uint32_t (*read)(const std::uint8_t* data, std::size_t bytes);
};

const Limits& limits_for(Isa isa);

namespace generic {
extern const Limits kLimits;
}
namespace avx2 {
extern const Limits kLimits;
}
namespace avxvnni {
extern const Limits kLimits;
}
namespace avx512 {
extern const Limits kLimits;
}
namespace neon {
extern const Limits kLimits;
}
namespace i8mm {
extern const Limits kLimits;
}

}  // namespace edgeward::ops
