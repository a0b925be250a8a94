// Vectors as wide as the file's instruction set allows, written once for all of them.
//
// Knows: the compiler's vector extension (GCC, Clang) and the two or three steps it spells badly.
// Does not know: any kernel. Include it only from a kernel's body (*-inl.h). Everything is in an
// unnamed namespace on purpose: the same names mean other instructions in other files, and a linker
// that merged them would put AVX-512 code into the path of an old machine.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <cstddef>
#include <cstdint>

namespace edgeward::simd {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

using Floats = float __attribute__((vector_size(kBytes)));
using Ints = std::int32_t __attribute__((vector_size(kBytes)));
using Words = std::uint32_t __attribute__((vector_size(kBytes)));
using Longs = std::uint64_t __attribute__((vector_size(kBytes)));
using Doubles = double __attribute__((vector_size(kBytes)));
using HalfFloats = float __attribute__((vector_size(kBytes / 2)));
constexpr std::size_t kLanes = kBytes / 4;
constexpr std::size_t kDoubleLanes = kBytes / 8;

inline Floats load(const float* p) {
    Floats v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

inline Ints load(const std::uint32_t* p) {
    Ints v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

inline Doubles load_doubles(const float* p) {
    HalfFloats v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Doubles);
}

inline void store(float* p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }
inline void store(std::uint32_t* p, Ints v) { __builtin_memcpy(p, &v, sizeof v); }

// The n < kLanes values at p, then `filler` in the lanes behind them.
inline Floats load_part(const float* p, std::size_t n, float filler) {
    Floats v = Floats{} + filler;
    __builtin_memcpy(&v, p, n * sizeof(float));
    return v;
}

// a > b ? a : b, also for NaN; the compilers do not fold that form into one instruction.
inline Floats max(Floats a, Floats b) {
#if defined(__AVX512F__)
    // The form with a full mask is the same instruction; the plain one warns in GCC 12's header.
    return _mm512_maskz_max_ps(0xffff, a, b);
#elif defined(__AVX2__)
    return _mm256_max_ps(a, b);
#else
    return a > b ? a : b;
#endif
}

inline Floats fma_by_lane(Floats a, Floats b, Floats c) {
    Floats sum{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
    }
    return sum;
}

#if defined(__x86_64__) && !defined(__FMA__)
// Without the instruction: a product of floats is exact in double, and rounding their sum first to
// double and then to float goes wrong only where the double lies halfway between two floats. That
// is seen in its last 29 bits, and happens about once in 2^29 times.
inline Floats fma_in_double(Floats a, Floats b, Floats c) {
    const auto high_half = [](__m128 v) { return _mm_cvtps_pd(_mm_movehl_ps(v, v)); };
    const __m128d low = _mm_cvtps_pd(a) * _mm_cvtps_pd(b) + _mm_cvtps_pd(c);
    const __m128d high = high_half(a) * high_half(b) + high_half(c);
    const auto last_words = reinterpret_cast<Ints>(_mm_shuffle_ps(
        reinterpret_cast<__m128>(low), reinterpret_cast<__m128>(high), _MM_SHUFFLE(2, 0, 2, 0)));
    const auto halfway = (last_words & 0x1fffffff) == 0x10000000;
    if (_mm_movemask_ps(reinterpret_cast<__m128>(halfway)) != 0) return fma_by_lane(a, b, c);
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}
#endif

// a * b + c, rounded once. The same on every instruction set for finite values whose result is a
// normal number or zero.
inline Floats fma(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
    return vfmaq_f32(c, a, b);
#elif defined(__x86_64__)
    return fma_in_double(a, b, c);
#else
    return fma_by_lane(a, b, c);
#endif
}

// The nearest whole number, ties to even. Needs |v| < 2^31.
inline Ints round_to_int(Floats v) {
#if defined(__AVX512F__)
    return reinterpret_cast<Ints>(_mm512_maskz_cvtps_epi32(0xffff, v));
#elif defined(__AVX2__)
    return reinterpret_cast<Ints>(_mm256_cvtps_epi32(v));
#elif defined(__x86_64__)
    return reinterpret_cast<Ints>(_mm_cvtps_epi32(v));
#elif defined(__aarch64__)
    return reinterpret_cast<Ints>(vcvtnq_s32_f32(v));
#else
    Ints whole{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        whole[lane] = static_cast<std::int32_t>(__builtin_rintf(v[lane]));
    }
    return whole;
#endif
}

// The products of the low halves of each lane.
inline Longs multiply_low(Longs a, Longs b) {
#if defined(__AVX512F__)
    // The form with a full mask is the same instruction; the plain one warns in GCC 12's header.
    return reinterpret_cast<Longs>(
        _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
    return reinterpret_cast<Longs>(
        _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
    return reinterpret_cast<Longs>(
        _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// One bit a lane of a comparison's result, lane 0 lowest.
inline unsigned bits_of(Ints mask) {
#if defined(__AVX512F__)
    const auto raw = reinterpret_cast<__m512i>(mask);
    return _mm512_test_epi32_mask(raw, raw);
#elif defined(__AVX2__)
    return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#elif defined(__x86_64__)
    return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128>(mask)));
#else
    const Ints bits = mask & Ints{1, 2, 4, 8};
    return static_cast<unsigned>(bits[0] | bits[1] | bits[2] | bits[3]);
#endif
}

inline bool any(Ints mask) { return bits_of(mask) != 0; }

// Halves the vector until one lane is left.
inline float reduce_max(Floats v) {
#if defined(__AVX512F__)
    const auto low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
    const auto high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    const auto eight = low > high ? low : high;
#elif defined(__AVX2__)
    const auto eight = v;
#endif
#if defined(__AVX512F__) || defined(__AVX2__)
    const auto left = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
    const auto right = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    const auto four = left > right ? left : right;
#else
    const auto four = v;
#endif
    const float a = four[0] > four[1] ? four[0] : four[1];
    const float b = four[2] > four[3] ? four[2] : four[3];
    return a > b ? a : b;
}

inline std::uint64_t reduce_add(Longs v) {
    std::uint64_t sum = 0;
    for (std::size_t lane = 0; lane < kLanes / 2; ++lane) sum += v[lane];
    return sum;
}

}  // namespace
}  // namespace edgeward::simd
