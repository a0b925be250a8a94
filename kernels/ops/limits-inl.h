// Body of the limits, part of operators-inl.h.
//
// The empty assembly makes the compiler believe that every sum is used, and costs no instruction.
#pragma once

#include "ops/lanes-inl.h"
#include "ops/limits.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

#if defined(__x86_64__)
#define EDGEWARD_USED(v) asm volatile("" : "+v"(v))
#else
#define EDGEWARD_USED(v) asm volatile("" : "+w"(v))
#endif

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr std::size_t kSums = 16;
#else
constexpr std::size_t kSums = 12;
#endif

#if defined(__AVX512VNNI__)
using DotVector = __m512i;
inline DotVector dot_step(DotVector sum, DotVector x) {
    asm volatile("vpdpbusd %1, %1, %0" : "+v"(sum) : "v"(x));
    return sum;
}
constexpr double kDotOperations = 128;
#elif defined(__AVXVNNI__)
using DotVector = __m256i;
inline DotVector dot_step(DotVector sum, DotVector x) { return _mm256_dpbusd_avx_epi32(sum, x, x); }
constexpr double kDotOperations = 64;
#elif defined(__AVX2__)
using DotVector = __m256i;
inline DotVector dot_step(DotVector sum, DotVector x) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(x, sum));
}
constexpr double kDotOperations = 64;
#elif defined(__ARM_FEATURE_MATMUL_INT8)
using DotVector = int8x16_t;
inline DotVector dot_step(DotVector sum, DotVector x) {
    return vreinterpretq_s8_s32(vmmlaq_s32(vreinterpretq_s32_s8(sum), x, x));
}
constexpr double kDotOperations = 64;
#elif defined(__ARM_FEATURE_DOTPROD)
using DotVector = int8x16_t;
inline DotVector dot_step(DotVector sum, DotVector x) {
    return vreinterpretq_s8_s32(vdotq_s32(vreinterpretq_s32_s8(sum), x, x));
}
constexpr double kDotOperations = 32;
#else
// No dot product of bytes in one instruction: products of four 32-bit numbers stand in.
using DotVector = simd::Ints;
inline DotVector dot_step(DotVector sum, DotVector x) { return sum + x * x; }
constexpr double kDotOperations = 2 * simd::kLanes;
#endif

double dots(std::size_t rounds) {
    DotVector sums[kSums], x{};
    EDGEWARD_USED(x);
    EDGEWARD_UNROLL for (std::size_t i = 0; i < kSums; ++i) sums[i] = x;
    for (std::size_t round = 0; round < rounds; ++round) {
        EDGEWARD_UNROLL for (std::size_t i = 0; i < kSums; ++i) {
            sums[i] = dot_step(sums[i], x);
            EDGEWARD_USED(sums[i]);
        }
    }
    return kDotOperations * static_cast<double>(kSums * rounds);
}

double fmas(std::size_t rounds) {
    simd::Floats sums[kSums], x{};
    EDGEWARD_USED(x);
    EDGEWARD_UNROLL for (std::size_t i = 0; i < kSums; ++i) sums[i] = x;
    for (std::size_t round = 0; round < rounds; ++round) {
        EDGEWARD_UNROLL for (std::size_t i = 0; i < kSums; ++i) {
            sums[i] = simd::fma(x, x, sums[i]);
            EDGEWARD_USED(sums[i]);
        }
    }
    return 2.0 * simd::kLanes * static_cast<double>(kSums * rounds);
}

std::uint32_t read(const std::uint8_t* data, std::size_t bytes) {
    constexpr std::size_t kStep = 256, kAheadOfUse = 4096;
    simd::Ints sums[4] = {};
    for (std::size_t at = 0; at < bytes; at += kStep) {
        const auto* words = reinterpret_cast<const std::uint32_t*>(data + at);
        EDGEWARD_UNROLL for (std::size_t line = 0; line < kStep; line += 64) {
            __builtin_prefetch(data + at + kAheadOfUse + line);
        }
        EDGEWARD_UNROLL for (std::size_t i = 0; i < kStep / simd::kBytes; ++i) {
            sums[i % 4] ^= simd::load(words + i * simd::kLanes);
        }
    }
    const simd::Ints all = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
    std::uint32_t mixed = 0;
    for (std::size_t i = 0; i < simd::kLanes; ++i) mixed ^= static_cast<std::uint32_t>(all[i]);
    return mixed;
}

}  // namespace

extern const Limits kLimits = {.dots = &dots, .fmas = &fmas, .read = &read};

}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
