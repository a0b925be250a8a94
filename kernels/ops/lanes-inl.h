// Sixteen floats as one value, on as many registers as the file's instruction set needs.
//
// Knows: arithmetic by lane, float16 and int8 loads, the fixed way to fold 16 lanes. Does not know:
// any kernel. Sixteen on every instruction set, so that all do the same operations in the same
// order. In an unnamed namespace for the reason that simd.h gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ops/half.h"
#include "simd.h"

namespace edgeward::ops::lanes {
namespace {

constexpr std::size_t kWide = 16;
constexpr std::size_t kParts = kWide / simd::kLanes;

struct Wide {
    simd::Floats part[kParts];
};
struct WideInts {
    simd::Ints part[kParts];
};

// Sums stay in registers only where loops over them are unrolled. A sanitizer's checks of every
// copy would take the compiler minutes, and find no more than those of one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EDGEWARD_UNROLL
#else
#define EDGEWARD_UNROLL _Pragma("GCC unroll 16")
#endif
#define EDGEWARD_EACH_PART EDGEWARD_UNROLL for (std::size_t p = 0; p < kParts; ++p)

// x - 0 is x, also for -0, and compiles to a broadcast; 0 + x is an addition.
inline Wide splat(float x) {
    Wide v;
    EDGEWARD_EACH_PART v.part[p] = x - simd::Floats{};
    return v;
}

inline Wide load(const float* x) {
    Wide v;
    EDGEWARD_EACH_PART v.part[p] = simd::load(x + p * simd::kLanes);
    return v;
}

inline WideInts load_ints(const std::int32_t* x) {
    WideInts v;
    std::memcpy(&v, x, sizeof v);
    return v;
}

inline void store(float* x, const Wide& v) {
    EDGEWARD_EACH_PART simd::store(x + p * simd::kLanes, v.part[p]);
}

// The n < 16 values at x, zeros behind them.
inline Wide load_part(const float* x, std::size_t n) {
    alignas(64) float padded[kWide] = {};
    std::memcpy(padded, x, n * sizeof(float));
    return load(padded);
}

inline void store_part(float* x, std::size_t n, const Wide& v) {
    alignas(64) float padded[kWide];
    store(padded, v);
    std::memcpy(x, padded, n * sizeof(float));
}

inline Wide operator+(Wide a, const Wide& b) {
    EDGEWARD_EACH_PART a.part[p] += b.part[p];
    return a;
}
inline Wide operator-(Wide a, const Wide& b) {
    EDGEWARD_EACH_PART a.part[p] -= b.part[p];
    return a;
}
inline Wide operator*(Wide a, const Wide& b) {
    EDGEWARD_EACH_PART a.part[p] *= b.part[p];
    return a;
}
inline Wide operator/(Wide a, const Wide& b) {
    EDGEWARD_EACH_PART a.part[p] /= b.part[p];
    return a;
}

// a * b + c, rounded once.
inline Wide fma(const Wide& a, const Wide& b, Wide c) {
    EDGEWARD_EACH_PART c.part[p] = simd::fma(a.part[p], b.part[p], c.part[p]);
    return c;
}

// a > b ? a : b, by lane; b where either is a NaN.
inline Wide max(const Wide& a, Wide b) {
    EDGEWARD_EACH_PART b.part[p] = simd::max(a.part[p], b.part[p]);
    return b;
}

// a < b ? a : b, by lane; b where either is a NaN.
inline Wide min(const Wide& a, Wide b) {
    EDGEWARD_EACH_PART b.part[p] = a.part[p] < b.part[p] ? a.part[p] : b.part[p];
    return b;
}

// Lane i becomes `filler` unless from <= i < to.
inline Wide keep(const Wide& v, std::size_t from, std::size_t to, float filler) {
    alignas(64) float lane[kWide];
    store(lane, v);
    for (std::size_t i = 0; i < kWide; ++i) {
        if (i < from || i >= to) lane[i] = filler;
    }
    return load(lane);
}

// The sum of 16 lanes: halves are added until one is left.
inline float fold_sum(const Wide& v) {
    alignas(64) float lane[kWide];
    store(lane, v);
    for (std::size_t half = kWide / 2; half != 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
    }
    return lane[0];
}

inline float fold_max(const Wide& v) {
    float highest = simd::reduce_max(v.part[0]);
    for (std::size_t p = 1; p < kParts; ++p) {
        const float other = simd::reduce_max(v.part[p]);
        highest = highest > other ? highest : other;
    }
    return highest;
}

inline Wide floats_of(const WideInts& v) {
    Wide numbers;
    EDGEWARD_EACH_PART numbers.part[p] = __builtin_convertvector(v.part[p], simd::Floats);
    return numbers;
}

// 16 float16 numbers, exactly.
inline Wide load_halves(const std::uint16_t* x) {
    Wide v;
#if defined(__AVX512F__)
    v.part[0] =
        _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
#elif defined(__F16C__)
    EDGEWARD_EACH_PART v.part[p] =
        _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + 8 * p)));
#elif defined(__aarch64__)
    EDGEWARD_EACH_PART v.part[p] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x + 4 * p)));
#else
    alignas(64) float lane[kWide];
    for (std::size_t i = 0; i < kWide; ++i) lane[i] = float_of(x[i]);
    v = load(lane);
#endif
    return v;
}

// Rounds to nearest, ties to even.
inline void store_halves(std::uint16_t* x, const Wide& v) {
#if defined(__AVX512F__)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(x),
                        _mm512_maskz_cvtps_ph(0xffff, v.part[0], _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
    EDGEWARD_EACH_PART _mm_storeu_si128(reinterpret_cast<__m128i*>(x + 8 * p),
                                        _mm256_cvtps_ph(v.part[p], _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
    EDGEWARD_EACH_PART vst1_u16(x + 4 * p, vreinterpret_u16_f16(vcvt_f16_f32(v.part[p])));
#else
    alignas(64) float lane[kWide];
    store(lane, v);
    for (std::size_t i = 0; i < kWide; ++i) x[i] = half_of(lane[i]);
#endif
}

// 16 int8 numbers as floats.
inline Wide load_bytes(const std::int8_t* x) {
    Wide v;
#if defined(__AVX512F__)
    v.part[0] = _mm512_maskz_cvtepi32_ps(
        0xffff,
        _mm512_maskz_cvtepi8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(x))));
#elif defined(__AVX2__)
    EDGEWARD_EACH_PART v.part[p] = _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x + 8 * p))));
#else
    using Bytes = std::int8_t __attribute__((vector_size(simd::kLanes)));
    EDGEWARD_EACH_PART {
        Bytes bytes;
        std::memcpy(&bytes, x + p * simd::kLanes, sizeof bytes);
        v.part[p] = __builtin_convertvector(bytes, simd::Floats);
    }
#endif
    return v;
}

// 2^x for x <= 127, relative error below 3e-7; 0 below -126, so that nothing is denormal; NaN for
// NaN. Near 1.5 * 2^23 floats are whole numbers: adding it rounds. The coefficients are those of
// sampling/weight.h, without their common factor.
inline Wide exp2(const Wide& x) {
    Wide power;
    EDGEWARD_EACH_PART {
        using simd::Floats;
        const Floats round = Floats{} + 12582912.0f;
        const Floats shifted = x.part[p] + round;
        const Floats part = x.part[p] - (shifted - round);
        Floats sum = Floats{} + 0x1.5bd97cp-10f;
        sum = simd::fma(sum, part, Floats{} + 0x1.3ce8b2p-7f);
        sum = simd::fma(sum, part, Floats{} + 0x1.c6b6dap-5f);
        sum = simd::fma(sum, part, Floats{} + 0x1.ebf9c2p-3f);
        sum = simd::fma(sum, part, Floats{} + 0x1.62e42ap-1f);
        sum = simd::fma(sum, part, Floats{} + 1.0f);
        // The low bits of `shifted` are the whole part; move them to the exponent.
        const auto whole = reinterpret_cast<simd::Words>(shifted) << 23;
        const auto moved = reinterpret_cast<Floats>(reinterpret_cast<simd::Words>(sum) + whole);
        const Floats lowest = Floats{} - 126.0f;
        power.part[p] = x.part[p] < lowest ? Floats{} : moved;
        power.part[p] = x.part[p] == x.part[p] ? power.part[p] : x.part[p];
    }
    return power;
}

constexpr float kLog2E = 0x1.715476p+0f;

// 1 / (1 + e^-x), 0 to 1; NaN for NaN.
inline Wide sigmoid(const Wide& x) {
    // min() and max() keep a NaN that comes second.
    const Wide power = min(splat(126.0f), x * splat(-kLog2E));
    return splat(1.0f) / (splat(1.0f) + exp2(power));
}

// 2 sigmoid(2x) - 1, within 2e-7.
inline Wide tanh(const Wide& x) { return sigmoid(x + x) * splat(2.0f) - splat(1.0f); }

}  // namespace
}  // namespace edgeward::ops::lanes
