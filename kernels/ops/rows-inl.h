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

// Sums of 16 and of 16 integers.
inline void fold_sums(const WideInts& first, const WideInts& second, std::int32_t& first_sum,
                      std::int32_t& second_sum) {
    const auto four = [](const WideInts& v) {
        simd::Ints all = v.part[0];
        for (std::size_t p = 1; p < kParts; ++p) all += v.part[p];
#if defined(__AVX512F__)
        const auto eight = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7) +
                           __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
        const auto eight = all;
#endif
#if defined(__AVX2__)
        return __builtin_shufflevector(eight, eight, 0, 1, 2, 3) +
               __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
#else
        return all;
#endif
    };
    const auto a = four(first), b = four(second);
    const auto two =
        __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    first_sum = two[0] + two[2];
    second_sum = two[1] + two[3];
}

// Up to 16 blocks of a row on their way into a tile: first all magnitudes, so that the divisions
// are made 16 at a time.
struct Blocks {
    alignas(64) float highest[kWide], inverse[kWide], scales[kWide], sums[kWide];
    alignas(64) std::int32_t totals[kWide], first_halves[kWide];
    alignas(64) std::int8_t values[kWide][kBlock];
};

// `count` blocks at x; the entries behind them become zeros.
inline void quantize_blocks(const float* x, std::size_t count, Blocks& out) {
    for (std::size_t b = 0; b < kWide; ++b) {
        out.highest[b] = b < count ? highest_magnitude(x + b * kBlock, 2) : 0.0f;
        out.totals[b] = out.first_halves[b] = 0;
    }
    const Wide highest = lanes::load(out.highest), most = lanes::splat(127.0f);
    Wide inverse = most / highest, scale = highest / most;
    EDGEWARD_EACH_PART {
        const auto small = highest.part[p] < kLeastMagnitude;
        // A NaN is not small: its inverse must become 0, its scale stays NaN.
        const auto unusable = small | (highest.part[p] != highest.part[p]);
        inverse.part[p] = unusable ? simd::Floats{} : inverse.part[p];
        scale.part[p] = small ? simd::Floats{} : scale.part[p];
    }
    lanes::store(out.inverse, inverse);
    lanes::store(out.scales, scale);
    for (std::size_t b = 0; b < count; ++b) {
        if (out.inverse[b] == 0.0f) {
            std::memset(out.values[b], 0, kBlock);
            continue;
        }
        const Wide factor = lanes::splat(out.inverse[b]);
        const WideInts low = round_to_ints(lanes::load(x + b * kBlock) * factor);
        const WideInts high = round_to_ints(lanes::load(x + b * kBlock + kWide) * factor);
        store_bytes(out.values[b], low);
        store_bytes(out.values[b] + kWide, high);
        std::int32_t rest;
        fold_sums(low, high, out.first_halves[b], rest);
        out.totals[b] = out.first_halves[b] + rest;
    }
    lanes::store(out.sums, scale * lanes::floats_of(lanes::load_ints(out.totals)));
}

// Puts the blocks, the first being `first` of row `t` of a tile, into their places.
inline void place_blocks(const Blocks& blocks, const QuantizedRows& out, std::size_t tile,
                         std::size_t t, std::size_t first, std::size_t count) {
    const std::size_t width = out.width(tile);
    std::int8_t* values = out.tile_values(tile) + (first * 8 * width + t) * kQuad;
    if (width == 1) {
        std::memcpy(values, blocks.values, count * kBlock);
    } else {
        const std::int8_t* from = blocks.values[0];
        for (std::size_t quad = 0; quad < count * (kBlock / kQuad); ++quad) {
            std::memcpy(values + quad * width * kQuad, from + quad * kQuad, kQuad);
        }
    }
    float* scales = out.tile_scales(tile) + first * width + t;
    float* sums = out.tile_sums(tile) + first * width + t;
    std::int32_t* offsets = out.tile_offsets(tile) + first * 3 * width + t;
    for (std::size_t b = 0; b < count; ++b) {
        scales[b * width] = blocks.scales[b];
        sums[b * width] = blocks.sums[b];
        offsets[3 * b * width] = -8 * blocks.totals[b];
        offsets[(3 * b + 1) * width] = -128 * blocks.totals[b];
        offsets[(3 * b + 2) * width] = -128 * blocks.first_halves[b];
    }
}

// Puts blocks that are block `b` of each row of a tile into their places.
inline void place_column(const Blocks& blocks, const QuantizedRows& out, std::size_t tile,
                         std::size_t b) {
    const std::size_t width = out.width(tile);
    std::int8_t* values = out.tile_values(tile) + b * kBlock * width;
    for (std::size_t quad = 0; quad < kBlock / kQuad; ++quad) {
        for (std::size_t t = 0; t < width; ++t, values += kQuad) {
            std::memcpy(values, blocks.values[t] + quad * kQuad, kQuad);
        }
    }
    std::memcpy(out.tile_scales(tile) + b * width, blocks.scales, width * sizeof(float));
    std::memcpy(out.tile_sums(tile) + b * width, blocks.sums, width * sizeof(float));
    std::int32_t* offsets = out.tile_offsets(tile) + 3 * b * width;
    for (std::size_t t = 0; t < width; ++t) {
        offsets[t] = -8 * blocks.totals[t];
        offsets[width + t] = -128 * blocks.totals[t];
        offsets[2 * width + t] = -128 * blocks.first_halves[t];
    }
}

void quantize_row(const float* x, const QuantizedRows& out, std::size_t row) {
    Blocks blocks;
    for (std::size_t b = 0; b < out.blocks(); b += kWide) {
        const std::size_t count = out.blocks() - b < kWide ? out.blocks() - b : kWide;
        quantize_blocks(x + b * kBlock, count, blocks);
        place_blocks(blocks, out, row / kTile, row % kTile, b, count);
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
