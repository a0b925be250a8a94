// One group of weights times up to kMaxRows rows of activations, for any machine.
//
// Knows: the layout of a group and of a tile, the order of the float operations that all
// instruction sets keep: per block, in order of blocks,
//   sum = fma(weight scale * activation scale, float(integer sum), sum)     (twice where there are
//                                                                            two scales a block)
//   sum = fma(weight minimum, activation sum, sum)                          (where there are
//   minima)
// Does not know: which groups, where results go. Part of matmul-inl.h.
#pragma once

#include "ops/block_numbers-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

constexpr std::size_t kMaxRows = 1;

// Adds 16 rows x 4 inputs; `codes` has the bytes of a quad.
inline void add_quad(const std::uint8_t* codes, int shift, int mask, const std::int8_t* x,
                     std::int32_t* sums) {
    for (std::size_t row = 0; row < kGroup; ++row) {
        for (std::size_t i = 0; i < kQuad; ++i) {
            sums[row] += (codes[row * kQuad + i] >> shift & mask) * x[i];
        }
    }
}

// out[16 t + r] for the T rows of x and the 16 rows of the group.
template <Format F, std::size_t T>
void multiply_group(const std::uint8_t* group, std::size_t blocks, const TileRows& x, float* out) {
    constexpr Layout kLayout = layout_of(F);
    static_assert(T == 1);
    Wide sum = lanes::splat(0.0f);
    for (std::size_t b = 0; b < blocks; ++b, group += kLayout.block_bytes()) {
        alignas(64) std::int32_t part[2][kGroup];
        for (std::size_t row = 0; row < kGroup; ++row) {
            part[0][row] = first_offset<F>(x, b, 0);
            part[1][row] = second_offset<F>(x, b, 0);
        }
        for (std::size_t quad = 0; quad < kBlock / kQuad; ++quad) {
            const bool second_half = quad >= 4;
            const bool high = kLayout.bits == 4 && second_half;
            add_quad(group + (high ? quad - 4 : quad) * (kGroup * kQuad), high ? 4 : 0,
                     kLayout.bits == 4 ? 15 : 255, x.quad(b, quad),
                     part[kLayout.scales == 2 && second_half ? 1 : 0]);
        }
        const BlockNumbers<F> numbers(group + kLayout.code_bytes());
        for (std::size_t s = 0; s < kLayout.scales; ++s) {
            const Wide scale = numbers.scale[s] * lanes::splat(x.scales[b * x.width]);
            sum = lanes::fma(scale, lanes::floats_of(lanes::load_ints(part[s])), sum);
        }
        if constexpr (kLayout.minimum) {
            sum = lanes::fma(numbers.minimum, lanes::splat(x.sums[b * x.width]), sum);
        }
    }
    lanes::store(out, sum);
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
