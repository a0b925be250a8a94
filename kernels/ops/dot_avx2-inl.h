// One group of weights times up to 4 rows of activations with AVX2, and with AVX-VNNI.
//
// Knows: the layouts, the order of float operations given in dot_generic-inl.h. Does not know:
// which groups, where results go. Part of matmul-inl.h.
//
// A quad is two registers of 8 rows. Without VNNI, `maddubs` multiplies unsigned by signed bytes
// and adds pairs into 16 bits. Of 4-bit codes a whole block fits: 16 products of at most 15 * 127
// are 30480. Of 8-bit codes a pair does when the sign moves to the activation: 2 * 128 * 127.
#pragma once

#include "ops/block_numbers-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

constexpr std::size_t kMaxRows = 4;
// About what is on its way from memory while a block is computed.
constexpr std::size_t kAhead = 4096;

template <std::size_t T>
using Dots = __m256i[T][2];

inline __m256i load_codes(const std::uint8_t* codes) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
}

inline __m256i four_activations(const std::int8_t* x) {
    std::int32_t four;
    std::memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

// Sums of adjacent 16-bit numbers.
inline __m256i widened(__m256i pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

// The codes of quad q of a block: 8 rows from `codes` on.
template <Format F>
inline __m256i quad_codes(const std::uint8_t* codes, std::size_t q) {
    if (layout_of(F).bits == 8) return load_codes(codes + q * (kGroup * kQuad));
    __m256i c = load_codes(codes + q % 4 * (kGroup * kQuad));
    if (q >= 4) c = _mm256_srli_epi16(c, 4);
    return _mm256_and_si256(c, _mm256_set1_epi8(15));
}

#if defined(__AVXVNNI__)
// Codes are unsigned here: sums begin with the offset.
template <Format F, std::size_t T, std::size_t kFirst, std::size_t kLast>
inline void dot_quads(const std::uint8_t* codes, const TileRows& x, std::size_t block,
                      Dots<T>& dots) {
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        const std::int32_t offset =
            kFirst == 4 ? second_offset<F>(x, block, t) : first_offset<F>(x, block, t);
        dots[t][0] = dots[t][1] = _mm256_set1_epi32(offset);
    }
    EDGEWARD_UNROLL for (std::size_t q = kFirst; q < kLast; ++q) {
        const __m256i low = quad_codes<F>(codes, q), high = quad_codes<F>(codes + 32, q);
        const std::int8_t* at = x.quad(block, q);
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            const __m256i a = four_activations(at + t * kQuad);
            dots[t][0] = _mm256_dpbusd_avx_epi32(dots[t][0], low, a);
            dots[t][1] = _mm256_dpbusd_avx_epi32(dots[t][1], high, a);
        }
    }
}
#else
template <Format F, std::size_t T, std::size_t kFirst, std::size_t kLast>
inline void dot_quads(const std::uint8_t* codes, const TileRows& x, std::size_t block,
                      Dots<T>& dots) {
    constexpr Layout kLayout = layout_of(F);
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        dots[t][0] = dots[t][1] = _mm256_setzero_si256();
    }
    EDGEWARD_UNROLL for (std::size_t q = kFirst; q < kLast; ++q) {
        const std::int8_t* at = x.quad(block, q);
        EDGEWARD_UNROLL for (std::size_t h = 0; h < 2; ++h) {
            __m256i c = quad_codes<F>(codes + 32 * h, q);
            if constexpr (kLayout.bits == 4) {
                EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
                    const __m256i a = four_activations(at + t * kQuad);
                    dots[t][h] = _mm256_add_epi16(dots[t][h], _mm256_maddubs_epi16(c, a));
                }
            } else {
                c = _mm256_xor_si256(c, _mm256_set1_epi8(-128));  // code - offset
                const __m256i magnitude = _mm256_abs_epi8(c);
                EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
                    const __m256i a = _mm256_sign_epi8(four_activations(at + t * kQuad), c);
                    const __m256i pairs = _mm256_maddubs_epi16(magnitude, a);
                    dots[t][h] = _mm256_add_epi32(dots[t][h], widened(pairs));
                }
            }
        }
    }
    if constexpr (kLayout.bits == 4) {
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            const __m256i offset = _mm256_set1_epi32(first_offset<F>(x, block, t));
            dots[t][0] = _mm256_add_epi32(widened(dots[t][0]), offset);
            dots[t][1] = _mm256_add_epi32(widened(dots[t][1]), offset);
        }
    }
}
#endif

template <std::size_t T>
inline void add_scaled(const Dots<T>& dots, const Wide& scale, const float* scales,
                       Wide (&sums)[T]) {
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        EDGEWARD_EACH_PART {
            const __m256 factor = _mm256_mul_ps(scale.part[p], _mm256_set1_ps(scales[t]));
            sums[t].part[p] =
                _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(dots[t][p]), sums[t].part[p]);
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
        for (std::size_t line = 0; line < kLayout.block_bytes(); line += 64) {
            __builtin_prefetch(group + kAhead + line);
        }
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
