// The operators of single rows: norm, rotation, activation, sums, quantization, candidates.
//
// Knows: arrays of floats. Does not know: weights, caches. Part of operators-inl.h.
#pragma once

#include "ops/lanes-inl.h"
#include "ops/operators.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

using lanes::kParts;
using lanes::kWide;
using lanes::Wide;
using lanes::WideInts;

constexpr float kLeastMagnitude = 1e-30f;  // 127 / magnitude must not overflow

void rms_norm(const float* x, const float* weight, float epsilon, std::size_t n, float* out) {
    const std::size_t whole = n / kWide * kWide;
    Wide squares = lanes::splat(0.0f);
    for (std::size_t i = 0; i < whole; i += kWide) {
        const Wide v = lanes::load(x + i);
        squares = lanes::fma(v, v, squares);
    }
    if (whole != n) {
        const Wide v = lanes::load_part(x + whole, n - whole);
        squares = lanes::fma(v, v, squares);
    }
    const float mean = lanes::fold_sum(squares) / static_cast<float>(n);
    const Wide factor = lanes::splat(1.0f / __builtin_sqrtf(mean + epsilon));
    for (std::size_t i = 0; i < whole; i += kWide) {
        lanes::store(out + i, lanes::load(x + i) * factor * lanes::load(weight + i));
    }
    if (whole != n) {
        const Wide v = lanes::load_part(x + whole, n - whole) * factor;
        lanes::store_part(out + whole, n - whole, v * lanes::load_part(weight + whole, n - whole));
    }
}

// The two products are rounded by themselves, as a table of both would be: a turn by the position 0
// leaves every value as it is.
inline void turn(float cosine, float sine, float& a, float& b) {
    const float turned = a * cosine - b * sine;
    b = b * cosine + a * sine;
    a = turned;
}

void rotate(Rotary rotary, const float* cosines, const float* sines, std::size_t n, float* head) {
    const std::size_t half = n / 2;
    if (rotary == Rotary::kPairs) {
        for (std::size_t i = 0; i < half; ++i) {
            turn(cosines[i], sines[i], head[2 * i], head[2 * i + 1]);
        }
        return;
    }
    std::size_t i = 0;
    for (; i + kWide <= half; i += kWide) {
        const Wide c = lanes::load(cosines + i), s = lanes::load(sines + i);
        const Wide a = lanes::load(head + i), b = lanes::load(head + half + i);
        lanes::store(head + i, a * c - b * s);
        lanes::store(head + half + i, b * c + a * s);
    }
    for (; i < half; ++i) turn(cosines[i], sines[i], head[i], head[half + i]);
}

inline Wide activate(Activation activation, const Wide& x) {
    if (activation == Activation::kSilu) return x * lanes::sigmoid(x);
    // GELU by tanh: x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
    const Wide cube = x * x * x;
    const Wide u = lanes::fma(cube, lanes::splat(0.044715f), x) * lanes::splat(0x1.988454p+0f);
    return x * lanes::sigmoid(u);
}

void gate(Activation activation, const float* gate, const float* up, std::size_t n, float* out) {
    const std::size_t whole = n / kWide * kWide;
    for (std::size_t i = 0; i < whole; i += kWide) {
        lanes::store(out + i, activate(activation, lanes::load(gate + i)) * lanes::load(up + i));
    }
    if (whole != n) {
        const Wide g = lanes::load_part(gate + whole, n - whole);
        const Wide u = lanes::load_part(up + whole, n - whole);
        lanes::store_part(out + whole, n - whole, activate(activation, g) * u);
    }
}

void add(const float* x, std::size_t n, float* y) {
    for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
}

// What a block of 32 values becomes, before it is put among the other rows of its tile.
struct Block {
    alignas(64) std::int8_t values[kBlock];
    float scale, sum;
    std::int32_t total, first_half;
};

inline std::int32_t fold_sum(const WideInts& v) {
    simd::Ints all = v.part[0];
    for (std::size_t p = 1; p < kParts; ++p) all += v.part[p];
#if defined(__AVX512F__)
    const auto eight = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
    const auto eight = all;
#endif
#if defined(__AVX2__)
    const auto four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) +
                      __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
#else
    const auto four = all;
#endif
    return four[0] + four[1] + (four[2] + four[3]);
}

inline void store_bytes(std::int8_t* out, const WideInts& v) {
#if defined(__AVX512F__)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(v.part[0])));
#else
    using Bytes = std::int8_t __attribute__((vector_size(simd::kLanes)));
    EDGEWARD_EACH_PART {
        const Bytes bytes = __builtin_convertvector(v.part[p], Bytes);
        std::memcpy(out + p * simd::kLanes, &bytes, sizeof bytes);
    }
#endif
}

inline WideInts round_to_ints(const Wide& v) {
    WideInts whole;
    EDGEWARD_EACH_PART whole.part[p] = simd::round_to_int(v.part[p]);
    return whole;
}

// The highest magnitude of 16 n values; NaN unless all are finite.
inline float highest_magnitude(const float* x, std::size_t wides) {
    constexpr std::int32_t kMagnitude = 0x7fffffff, kInfinity = 0x7f800000;
    simd::Ints highest{};
    for (std::size_t i = 0; i < wides * kWide; i += simd::kLanes) {
        const auto bits = reinterpret_cast<simd::Ints>(simd::load(x + i)) & kMagnitude;
        highest = bits > highest ? bits : highest;
    }
    if (simd::any(highest >= kInfinity)) return __builtin_nanf("");
    return simd::reduce_max(reinterpret_cast<simd::Floats>(highest));
}

inline void quantize_block(const float* x, Block& out) {
    const float highest = highest_magnitude(x, 2);
    const bool usable = highest >= kLeastMagnitude;
    const Wide inverse = lanes::splat(usable ? 127.0f / highest : 0.0f);
    if (highest != highest) {
        std::memset(out.values, 0, sizeof out.values);
        out.scale = out.sum = highest;
        out.total = out.first_half = 0;
        return;
    }
    const WideInts low = round_to_ints(lanes::load(x) * inverse);
    const WideInts high = round_to_ints(lanes::load(x + kWide) * inverse);
    store_bytes(out.values, low);
    store_bytes(out.values + kWide, high);
    out.first_half = fold_sum(low);
    out.total = out.first_half + fold_sum(high);
    out.scale = usable ? highest / 127.0f : 0.0f;
    out.sum = out.scale * static_cast<float>(out.total);
}

// Puts block `b` of row `t` of a tile into its place.
inline void place_block(const Block& block, const QuantizedRows& out, std::size_t tile,
                        std::size_t t, std::size_t b) {
    const std::size_t width = out.width(tile);
    std::int8_t* values = out.tile_values(tile) + (b * 8 * width + t) * kQuad;
    if (width == 1) {
        std::memcpy(values, block.values, kBlock);
    } else {
        for (std::size_t quad = 0; quad < kBlock / kQuad; ++quad) {
            std::memcpy(values + quad * width * kQuad, block.values + quad * kQuad, kQuad);
        }
    }
    out.tile_scales(tile)[b * width + t] = block.scale;
    out.tile_sums(tile)[b * width + t] = block.sum;
    std::int32_t* offsets = out.tile_offsets(tile) + b * 3 * width + t;
    offsets[0] = -8 * block.total;
    offsets[width] = -128 * block.total;
    offsets[2 * width] = -128 * block.first_half;
}

void quantize_row(const float* x, const QuantizedRows& out, std::size_t row) {
    Block block;
    for (std::size_t b = 0; b < out.blocks(); ++b) {
        quantize_block(x + b * kBlock, block);
        place_block(block, out, row / kTile, row % kTile, b);
    }
}

// Whether a comes before b among candidates; ids only rise, so an equal one never overtakes.
inline bool before(float a, float b) { return a > b || (b != b && a == a); }

std::size_t top(const float* x, std::size_t n, std::uint32_t first_id, std::size_t count,
                std::uint32_t* ids, float* values) {
    std::size_t have = 0;
    if (count == 0) return 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (have == count && !before(x[i], values[have - 1])) continue;
        std::size_t place = have < count ? have++ : have - 1;
        for (; place > 0 && before(x[i], values[place - 1]); --place) {
            values[place] = values[place - 1];
            ids[place] = ids[place - 1];
        }
        values[place] = x[i];
        ids[place] = first_id + static_cast<std::uint32_t>(i);
    }
    return have;
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
