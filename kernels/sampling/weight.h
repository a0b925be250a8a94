// The arithmetic of choosing, one number at a time: the same functions for every processor and for
// CUDA devices.
//
// Knows: weights, shares, the few comparisons in floating point. Does not know: arrays, order.
// passes-inl.h holds weight_of() once more, for vectors; a test holds the two together. Everything
// here is exactly defined by IEEE 754 as long as no compiler joins a product and a sum by itself
// (-ffp-contract=off, and -fmad=false for nvcc), so equal inputs give equal bits everywhere.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define EDGEWARD_HD __host__ __device__
#else
#define EDGEWARD_HD
#endif

namespace edgeward::sampling {

constexpr std::uint32_t kUnitWeight = 1u << 30;
// A weight with z below this (times ln 2) is 0 on every machine.
constexpr float kLowestPower = -32.0f;

// 2^30 * 2^part, part in [-1/2, 1/2]: the polynomial of degree 5 is a minimax fit with its constant
// fixed at 1 (relative error 1.2e-7 in float arithmetic), its coefficients already times 2^30.
constexpr float kUnit = static_cast<float>(kUnitWeight);
constexpr float kExp5 = 0x1.5bd97cp-10f * kUnit;
constexpr float kExp4 = 0x1.3ce8b2p-7f * kUnit;
constexpr float kExp3 = 0x1.c6b6dap-5f * kUnit;
constexpr float kExp2 = 0x1.ebf9c2p-3f * kUnit;
constexpr float kExp1 = 0x1.62e42ap-1f * kUnit;
constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number

// a * b + c, rounded once.
EDGEWARD_HD inline float fma_once(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
    return __fmaf_rn(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

// The least drop (see below) that is told apart: all that is lower weighs nothing.
EDGEWARD_HD inline float lowest_drop(float scale) { return kLowestPower / scale; }

// round(2^30 * 2^(drop * scale)); drop = value - highest, at most 0, and `lowest` of this scale.
EDGEWARD_HD inline std::uint32_t weight_of(float drop, float scale, float lowest) {
    drop = drop > lowest ? drop : lowest;
    const float shifted = fma_once(drop, scale, kRound);
    const float part = fma_once(drop, scale, kRound - shifted);
    float p = kExp5;
    p = fma_once(p, part, kExp4);
    p = fma_once(p, part, kExp3);
    p = fma_once(p, part, kExp2);
    p = fma_once(p, part, kExp1);
    p = fma_once(p, part, kUnit);
    // The low bits of `shifted` are the whole part; move them to the exponent of p.
    const std::uint32_t bits =
        std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23);
#if defined(__CUDA_ARCH__)
    return static_cast<std::uint32_t>(__float2int_rn(__uint_as_float(bits)));
#else
    return static_cast<std::uint32_t>(__builtin_lrintf(std::bit_cast<float>(bits)));
#endif
}

// A number in [0, total): the high half of the 128-bit product.
EDGEWARD_HD inline std::uint64_t below(std::uint64_t bits, std::uint64_t total) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * total) >> 64);
}

// The least whole mass that reaches p of the total: both are whole numbers below 2^53, so "less
// than p of the whole" is the exact comparison `mass < share_of(total, p)`.
EDGEWARD_HD inline std::uint64_t share_of(std::uint64_t total, double p) {
    return static_cast<std::uint64_t>(std::ceil(p * static_cast<double>(total)));
}

// Mirostat: the least weight whose surprise is at most mu bits; `share` is 2^-mu. Always one that
// the best token reaches.
EDGEWARD_HD inline std::uint32_t surprise_bar(std::uint64_t total, double share) {
    const double least = std::ceil(static_cast<double>(total) * share);
    const double most = static_cast<double>(kUnitWeight);
    return static_cast<std::uint32_t>(least < 1.0 ? 1.0 : least > most ? most : least);
}

// XTC: whether this position excludes its top choices; 53 bits as a number in [0, 1).
EDGEWARD_HD inline bool excludes(std::uint64_t bits, double probability) {
    return static_cast<double>(bits >> 11) * 0x1p-53 < probability;
}

// Of the finite values: how many, the sum of (highest - x) and of its squares.
struct Moments {
    double sum = 0, squares = 0;
    std::uint64_t count = 0;
};

// Top-n-sigma: the logit below which it cuts.
EDGEWARD_HD inline double sigma_bar(double highest, double n_sigma, const Moments& moments) {
    const auto count = static_cast<double>(moments.count);
    const double mean = moments.sum / count;
    const double variance = moments.squares / count - mean * mean;
    return highest - n_sigma * std::sqrt(variance > 0 ? variance : 0.0);
}

// Typical-p ranks tokens by the distance of their power (scaled logit in powers of two, at most 0)
// to the mean. Of a sum of doubles every order gives another answer; so powers are whole numbers of
// 2^-24 here and their products with weights, each below 2^60, are summed in two halves.
struct PowerSum {
    std::uint64_t high = 0, low = 0;

    EDGEWARD_HD void add(std::uint32_t weight, float power) {
        const std::uint64_t parts = whole(static_cast<double>(-power) * 0x1p24) * weight;
        high += parts >> 32;
        low += parts & 0xffffffffu;
    }
    // The nearest whole number, halves to the even one.
    EDGEWARD_HD static std::uint64_t whole(double x) {
#if defined(__CUDA_ARCH__)
        return static_cast<std::uint64_t>(__double2ll_rn(x));
#else
        return static_cast<std::uint64_t>(__builtin_llrint(x));
#endif
    }
    EDGEWARD_HD double mean(std::uint64_t total) const {
        const double sum = static_cast<double>(high) * 0x1p32 + static_cast<double>(low);
        return sum * -0x1p-24 / static_cast<double>(total);
    }
};

// Lower is more typical. At least 0, so that its bits rank as the value does.
EDGEWARD_HD inline float untypicality(float power, double mean) {
    return static_cast<float>(std::fabs(static_cast<double>(power) - mean));
}

}  // namespace edgeward::sampling
