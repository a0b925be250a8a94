// One group of weights times up to 4 rows of activations with NEON's dot product, and with the
// matrix product of i8mm.
//
// Knows: the layouts, the order of float operations given in dot_generic-inl.h. Does not know:
// which groups, where results go. Part of matmul-inl.h.
//
// A quad is four registers of 4 rows x 4 inputs. Both instructions multiply signed by signed bytes:
// 8-bit codes lose their offset by flipping the highest bit. In a tile, the four inputs of four
// rows of activations lie side by side, so one register serves as four operands of the dot product.
#pragma once

#include "ops/block_numbers-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

constexpr std::size_t kMaxRows = 4;

template <std::size_t T>
using Dots = int32x4_t[T][kParts];

// Rows 4 p ... 4 p + 3 of quad q.
template <Format F>
inline int8x16_t quad_codes(const std::uint8_t* codes, std::size_t q, std::size_t p) {
    if (layout_of(F).bits == 8) {
        const uint8x16_t c = vld1q_u8(codes + q * (kGroup * kQuad) + p * 16);
        return vreinterpretq_s8_u8(veorq_u8(c, vdupq_n_u8(128)));
    }
    const uint8x16_t c = vld1q_u8(codes + q % 4 * (kGroup * kQuad) + p * 16);
    return vreinterpretq_s8_u8(q < 4 ? vandq_u8(c, vdupq_n_u8(15)) : vshrq_n_u8(c, 4));
}

// The four inputs of T rows, in the order of the rows.
template <std::size_t T>
inline int8x16_t quad_activations(const std::int8_t* x) {
    if constexpr (T == 4) return vld1q_s8(x);
    std::int8_t padded[16] = {};
    std::memcpy(padded, x, T * kQuad);
    return vld1q_s8(padded);
}

template <std::size_t kLane>
inline int32x4_t add_dots(int32x4_t sums, int8x16_t codes, int8x16_t x) {
    return vdotq_laneq_s32(sums, codes, x, kLane);
}

template <Format F, std::size_t T, std::size_t kFirst, std::size_t kLast>
inline void start_dots(const TileRows& x, std::size_t block, Dots<T>& dots) {
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        const std::int32_t offset = layout_of(F).bits == 4 ? first_offset<F>(x, block, t) : 0;
        EDGEWARD_EACH_PART dots[t][p] = vdupq_n_s32(offset);
    }
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
// 2 x 8 times 8 x 2: pairs of rows times pairs of activations, two quads at a time. Exact, so the
// sums are those of the dot product.
template <Format F, std::size_t kFirst, std::size_t kLast>
inline void dot_four(const std::uint8_t* codes, const TileRows& x, std::size_t block,
                     Dots<4>& dots) {
    int32x4_t tiles[2][2 * kParts];  // [pair of activations][pair of rows]
    for (auto& pair : tiles) {
        for (int32x4_t& tile : pair) tile = vdupq_n_s32(0);
    }
    const auto joined = [](int8x16_t a, int8x16_t b, bool second) {
        const int32x4_t x = vreinterpretq_s32_s8(a), y = vreinterpretq_s32_s8(b);
        return vreinterpretq_s8_s32(second ? vzip2q_s32(x, y) : vzip1q_s32(x, y));
    };
    EDGEWARD_UNROLL for (std::size_t q = kFirst; q < kLast; q += 2) {
        const int8x16_t a = vld1q_s8(x.quad(block, q)), b = vld1q_s8(x.quad(block, q + 1));
        const int8x16_t first = joined(a, b, false), second = joined(a, b, true);
        EDGEWARD_EACH_PART {
            const int8x16_t c = quad_codes<F>(codes, q, p), d = quad_codes<F>(codes, q + 1, p);
            for (std::size_t half = 0; half < 2; ++half) {
                const int8x16_t rows = joined(c, d, half == 1);
                tiles[0][2 * p + half] = vmmlaq_s32(tiles[0][2 * p + half], rows, first);
                tiles[1][2 * p + half] = vmmlaq_s32(tiles[1][2 * p + half], rows, second);
            }
        }
    }
    EDGEWARD_EACH_PART {
        for (std::size_t pair = 0; pair < 2; ++pair) {
            const int32x4_t low = tiles[pair][2 * p], high = tiles[pair][2 * p + 1];
            dots[2 * pair][p] = vaddq_s32(dots[2 * pair][p], vuzp1q_s32(low, high));
            dots[2 * pair + 1][p] = vaddq_s32(dots[2 * pair + 1][p], vuzp2q_s32(low, high));
        }
    }
}
#endif

template <Format F, std::size_t T, std::size_t kFirst, std::size_t kLast>
inline void dot_quads(const std::uint8_t* codes, const TileRows& x, std::size_t block,
                      Dots<T>& dots) {
    start_dots<F, T, kFirst, kLast>(x, block, dots);
#if defined(__ARM_FEATURE_MATMUL_INT8)
    if constexpr (T == 4) {
        dot_four<F, kFirst, kLast>(codes, x, block, dots);
        return;
    }
#endif
    EDGEWARD_UNROLL for (std::size_t q = kFirst; q < kLast; ++q) {
        const int8x16_t a = quad_activations<T>(x.quad(block, q));
        EDGEWARD_EACH_PART {
            const int8x16_t c = quad_codes<F>(codes, q, p);
            dots[0][p] = add_dots<0>(dots[0][p], c, a);
            if constexpr (T > 1) dots[1][p] = add_dots<1>(dots[1][p], c, a);
            if constexpr (T > 2) dots[2][p] = add_dots<2>(dots[2][p], c, a);
            if constexpr (T > 3) dots[3][p] = add_dots<3>(dots[3][p], c, a);
        }
    }
}

template <std::size_t T>
inline void add_scaled(const Dots<T>& dots, const Wide& scale, const float* scales,
                       Wide (&sums)[T]) {
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        EDGEWARD_EACH_PART {
            const float32x4_t factor = vmulq_n_f32(scale.part[p], scales[t]);
            sums[t].part[p] = vfmaq_f32(sums[t].part[p], factor, vcvtq_f32_s32(dots[t][p]));
        }
    }
}

// out[16 t + r] for the T rows of x and the 16 rows of the group.
template <Format F, std::size_t T>
void multiply_group(const std::uint8_t* group, std::size_t blocks, const TileRows& x, float* out) {
    constexpr Layout kLayout = layout_of(F);
    Wide sums[T];
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) sums[t] = lanes::splat(0.0f);
    for (std::size_t b = 0; b < blocks; ++b, group += kLayout.block_bytes()) {
        const BlockNumbers<F> numbers(group + kLayout.code_bytes());
        const float* scales = x.scales + b * x.width;
        Dots<T> dots;
        if constexpr (kLayout.scales == 2) {
            dot_quads<F, T, 0, 4>(group, x, b, dots);
            add_scaled<T>(dots, numbers.scale[0], scales, sums);
            dot_quads<F, T, 4, 8>(group, x, b, dots);
            add_scaled<T>(dots, numbers.scale[1], scales, sums);
        } else {
            dot_quads<F, T, 0, 8>(group, x, b, dots);
            add_scaled<T>(dots, numbers.scale[0], scales, sums);
        }
        if constexpr (kLayout.minimum) {
            const float* minima = x.sums + b * x.width;
            EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
                sums[t] = lanes::fma(numbers.minimum, lanes::splat(minima[t]), sums[t]);
            }
        }
    }
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) lanes::store(out + t * kGroup, sums[t]);
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
