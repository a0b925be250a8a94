// One group of weights times up to 16 rows of activations with AVX-512 VNNI.
//
// Knows: the layouts, the order of float operations given in dot_generic-inl.h. Does not know:
// which groups, where results go. Part of matmul-inl.h.
//
// Per block, 16 rows x 32 inputs x T activations: the codes are unpacked in registers, T integer
// sums stay in registers, and every dot product takes its four activations as a broadcast memory
// operand. GCC 12 does not fold that broadcast and adds register moves, hence the assembly.
#pragma once

#include "ops/block_numbers-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

constexpr std::size_t kMaxRows = 16;
// With up to this many rows the float sums stay in registers as well.
constexpr std::size_t kRegisterRows = 8;
// About what is on its way from memory while a block is computed.
constexpr std::size_t kAhead = 4096;

inline void add_dots(__m512i& sums, __m512i codes, const std::int8_t* four) {
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(sums)
        : "v"(codes), "m"(*reinterpret_cast<const std::int32_t*>(four)));
}

template <std::size_t T>
inline void add_quad(__m512i (&sums)[T], __m512i codes, const std::int8_t* x) {
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) add_dots(sums[t], codes, x + t * kQuad);
}

template <Format F, std::size_t T>
inline void add_half(__m512i (&sums)[T], const std::uint8_t* codes, const TileRows& x,
                     std::size_t block, std::size_t half) {
    const __m512i low = _mm512_set1_epi8(15);
    EDGEWARD_UNROLL for (std::size_t q = 0; q < 4; ++q) {
        const bool whole = layout_of(F).bits == 8;
        __m512i c = _mm512_loadu_si512(codes + (whole ? half * 4 + q : q) * (kGroup * kQuad));
        if (!whole && half == 1) c = _mm512_srli_epi16(c, 4);
        if (!whole) c = _mm512_and_si512(c, low);
        add_quad<T>(sums, c, x.quad(block, half * 4 + q));
    }
}

// What one block of T rows adds; `scale` and `sum` are those of the activations.
template <Format F, std::size_t T>
inline void add_block(const std::uint8_t* group, const TileRows& x, std::size_t block,
                      __m512 (&sums)[T]) {
    constexpr Layout kLayout = layout_of(F);
    const BlockNumbers<F> numbers(group + kLayout.code_bytes());
    const float* scales = x.scales + block * x.width;
    const auto scaled = [&](const __m512i(&dots)[T], __m512 scale) {
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            sums[t] = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(scales[t])),
                                      _mm512_maskz_cvtepi32_ps(0xffff, dots[t]), sums[t]);
        }
    };
    __m512i dots[T];
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        dots[t] = _mm512_set1_epi32(first_offset<F>(x, block, t));
    }
    add_half<F, T>(dots, group, x, block, 0);
    if constexpr (kLayout.scales == 2) {
        scaled(dots, numbers.scale[0].part[0]);
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            dots[t] = _mm512_set1_epi32(second_offset<F>(x, block, t));
        }
    }
    add_half<F, T>(dots, group, x, block, 1);
    scaled(dots, numbers.scale[kLayout.scales - 1].part[0]);
    if constexpr (kLayout.minimum) {
        const float* minima = x.sums + block * x.width;
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            sums[t] = _mm512_fmadd_ps(numbers.minimum.part[0], _mm512_set1_ps(minima[t]), sums[t]);
        }
    }
}

// out[16 t + r] for the T rows of x and the 16 rows of the group.
template <Format F, std::size_t T>
void multiply_group(const std::uint8_t* group, std::size_t blocks, const TileRows& x, float* out) {
    constexpr std::size_t kBytes = layout_of(F).block_bytes();
    __m512 sums[T];
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) sums[t] = _mm512_setzero_ps();
    for (std::size_t b = 0; b < blocks; ++b, group += kBytes) {
        for (std::size_t line = 0; line < kBytes; line += 64) {
            __builtin_prefetch(group + kAhead + line);
        }
        add_block<F, T>(group, x, b, sums);
    }
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        _mm512_storeu_ps(out + t * kGroup, sums[t]);
    }
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
