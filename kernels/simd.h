// Vectors as wide as the file's instruction set allows, written once for all of them.
//
// Knows: the compiler's vector extension (GCC, Clang) and the two or three steps it spells badly.
// Does not know: any kernel. Include it only from a kernel's body (*-inl.h). Everything is in an
// unnamed namespace on purpose: the same names mean other instructions in other files, and a linker
// that merged them would put AVX-512 code into the path of an old machine.
#pragma once

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
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
constexpr std::size_t kLanes = kBytes / 4;

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

// True when a comparison's result has a lane set.
inline bool any(Ints mask) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(mask),
                                  reinterpret_cast<__m512i>(mask)) != 0;
#elif defined(__AVX2__)
    return !_mm256_testz_si256(reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256i>(mask));
#else
    const Longs halves = reinterpret_cast<Longs>(mask);
    return (halves[0] | halves[1]) != 0;
#endif
}

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
