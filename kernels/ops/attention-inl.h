// Attention over a segmented cache, and the writing of that cache.
//
// Knows: the layout of kv_cache.h, the segments of attention.h. Does not know: threads. Part of
// operators-inl.h.
//
// A tile is up to 16 rows (queries) of one kv head. Lanes are positions while scores are made, and
// dimensions while values are added, so no sum goes across lanes but the sum of probabilities,
// whose 16 lanes are folded once at the end. Scores are in powers of two.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "ops/rows-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

constexpr float kMinusInf = -__builtin_inff();
constexpr float kLowestScore = -1e30f;  // stands in for -inf where a difference is taken
constexpr std::size_t kSegmentBlocks = kSegment / kKeyBlock;

// Rows that fit the registers at once: sums of 16 lanes, for scores one a row, for values two.
#if defined(__AVX512F__)
constexpr std::size_t kScoreRows = 16, kValueRows = 8;
#elif defined(__AVX2__)
constexpr std::size_t kScoreRows = 6, kValueRows = 3;
#elif defined(__aarch64__)
constexpr std::size_t kScoreRows = 6, kValueRows = 3;
#else
constexpr std::size_t kScoreRows = 2, kValueRows = 1;
#endif

// What one segment, or several merged, contribute to the rows of a tile. The memory has
// partial_floats(head_dim) floats.
struct Partial {
    float* highest;  // [16]
    float* sums;     // [16][16]: of probabilities, a lane each
    float* values;   // [16][head_dim]: weighted by them
};

Partial partial_at(float* memory) {
    return {memory, memory + kRowTile, memory + kRowTile + kRowTile * kWide};
}

constexpr std::size_t partial_floats(std::size_t head_dim) {
    return kRowTile * (head_dim + kWide + 1);
}

// One tile of one kv head.
struct Tile {
    const Attention& call;
    std::size_t kv_head, first_row, rows;

    Tile(const Attention& call, std::size_t kv_head, std::size_t tile)
        : call(call),
          kv_head(kv_head),
          first_row(tile * kRowTile),
          rows(std::min(kRowTile, call.rows() - first_row)) {}

    std::size_t position(std::size_t t) const {
        return call.position + (first_row + t) / call.group();
    }
    std::size_t first_segment() const { return call.first_segment(first_row); }
    std::size_t last_segment() const { return call.last_segment(first_row + rows); }
    // Of row t in an array [token][head][head_dim].
    std::size_t place(std::size_t t, std::size_t stride) const {
        const std::size_t row = first_row + t, group = call.group();
        return row / group * stride + (kv_head * group + row % group) * call.cache.head_dim;
    }
    // Positions of the segment that row t sees: [from, to), counted from the segment's first.
    void visible(std::size_t t, std::size_t segment, std::size_t& from, std::size_t& to) const {
        const std::size_t own = position(t), first = segment * kSegment;
        const std::size_t least = call.window == 0 || own < call.window ? 0 : own - call.window + 1;
        to = own < first ? 0 : std::min(own - first + 1, kSegment);
        from = least <= first ? 0 : std::min(least - first, kSegment);
    }
};

// queries[16 d + t]: a column for each row of the tile, times the scale.
void load_queries(const Tile& tile, float* queries) {
    const Attention& call = tile.call;
    const float factor =
        call.soft_cap > 0.0f ? call.scale / call.soft_cap : call.scale * lanes::kLog2E;
    for (std::size_t t = 0; t < tile.rows; ++t) {
        const float* from = call.queries + tile.place(t, call.query_stride);
        for (std::size_t d = 0; d < call.cache.head_dim; ++d) {
            queries[d * kRowTile + t] = from[d] * factor;
        }
    }
}

template <KvType K>
using Element = std::conditional_t<K == KvType::kFloat16, std::uint16_t, std::int8_t>;

inline Wide load_elements(const std::uint16_t* x) { return lanes::load_halves(x); }
inline Wide load_elements(const std::int8_t* x) { return lanes::load_bytes(x); }

// scores[64 t + 0..15] of T rows against one block of keys.
template <KvType K, std::size_t T>
void score_block(const float* queries, const void* keys, std::size_t head_dim, float* scores) {
    const auto* key = static_cast<const Element<K>*>(keys);
    Wide sums[T];
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) sums[t] = lanes::splat(0.0f);
    for (std::size_t d = 0; d < head_dim; ++d, key += kKeyBlock, queries += kRowTile) {
        const Wide k = load_elements(key);
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            sums[t] = lanes::fma(lanes::splat(queries[t]), k, sums[t]);
        }
    }
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t)
        lanes::store(scores + t * kSegment, sums[t]);
}

// Adds `count` positions, weighted, to kWides * 16 dimensions of T rows.
template <KvType K, std::size_t kWides, std::size_t T>
void add_values(const float* weights, const void* values, std::size_t count, std::size_t head_dim,
                float* out) {
    const auto* value = static_cast<const Element<K>*>(values);
    Wide sums[T][kWides];
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        EDGEWARD_UNROLL for (std::size_t w = 0; w < kWides; ++w) sums[t][w] = lanes::splat(0.0f);
    }
    for (std::size_t j = 0; j < count; ++j, value += head_dim, ++weights) {
        Wide v[kWides];
        EDGEWARD_UNROLL for (std::size_t w = 0; w < kWides; ++w) {
            v[w] = load_elements(value + w * kWide);
        }
        EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
            const Wide weight = lanes::splat(weights[t * kSegment]);
            EDGEWARD_UNROLL for (std::size_t w = 0; w < kWides; ++w) {
                sums[t][w] = lanes::fma(weight, v[w], sums[t][w]);
            }
        }
    }
    EDGEWARD_UNROLL for (std::size_t t = 0; t < T; ++t) {
        EDGEWARD_UNROLL for (std::size_t w = 0; w < kWides; ++w) {
            lanes::store(out + t * head_dim + w * kWide, sums[t][w]);
        }
    }
}

using ScoreFunction = void (*)(const float*, const void*, std::size_t, float*);
using ValueFunction = void (*)(const float*, const void*, std::size_t, std::size_t, float*);

template <KvType K, std::size_t... T>
ScoreFunction score_function(std::size_t rows, std::index_sequence<T...>) {
    static constexpr std::array<ScoreFunction, sizeof...(T)> kAll = {&score_block<K, T + 1>...};
    return kAll[rows - 1];
}

template <KvType K, std::size_t kWides, std::size_t... T>
ValueFunction value_function(std::size_t rows, std::index_sequence<T...>) {
    static constexpr std::array<ValueFunction, sizeof...(T)> kAll = {
        &add_values<K, kWides, T + 1>...};
    return kAll[rows - 1];
}

// Scores of the tile against the first `blocks` key blocks of a segment.
template <KvType K>
void score_segment(const Tile& tile, const float* queries, std::size_t segment, std::size_t blocks,
                   float* scores) {
    const KvCache& cache = tile.call.cache;
    const auto* keys = static_cast<const Element<K>*>(cache.keys) +
                       (tile.kv_head * cache.context + segment * kSegment) * cache.head_dim;
    for (std::size_t t = 0; t < tile.rows; t += kScoreRows) {
        const std::size_t rows = std::min(kScoreRows, tile.rows - t);
        const ScoreFunction score = score_function<K>(rows, std::make_index_sequence<kScoreRows>{});
        for (std::size_t b = 0; b < blocks; ++b) {
            score(queries + t, keys + b * kKeyBlock * cache.head_dim, cache.head_dim,
                  scores + t * kSegment + b * kKeyBlock);
        }
    }
}

template <KvType K>
void add_segment(const Tile& tile, const float* weights, std::size_t segment, std::size_t from,
                 std::size_t to, float* out) {
    const KvCache& cache = tile.call.cache;
    const std::size_t dim = cache.head_dim;
    const auto* values = static_cast<const Element<K>*>(cache.values) +
                         (tile.kv_head * cache.context + segment * kSegment + from) * dim;
    for (std::size_t t = 0; t < tile.rows; t += kValueRows) {
        const std::size_t rows = std::min(kValueRows, tile.rows - t);
        const auto kRows = std::make_index_sequence<kValueRows>{};
        const ValueFunction two = value_function<K, 2>(rows, kRows);
        const ValueFunction one = value_function<K, 1>(rows, kRows);
        std::size_t d = 0;
        for (; d + 2 * kWide <= dim; d += 2 * kWide) {
            two(weights + t * kSegment + from, values + d, to - from, dim, out + t * dim + d);
        }
        if (d < dim) {
            one(weights + t * kSegment + from, values + d, to - from, dim, out + t * dim + d);
        }
    }
}

// Turns the scores of row t into probabilities up to a common factor; lanes behind what the row
// sees become 0. Scales of int8 keys and values come in here.
void weigh_row(const Tile& tile, std::size_t t, std::size_t segment, std::size_t blocks,
               float* scores, const Partial& out) {
    const Attention& call = tile.call;
    const KvCache& cache = call.cache;
    const std::size_t scale_at = tile.kv_head * cache.context + segment * kSegment;
    std::size_t from, to;
    tile.visible(t, segment, from, to);
    Wide score[kSegmentBlocks];
    Wide highest = lanes::splat(kMinusInf);
    for (std::size_t b = 0; b < blocks; ++b) {
        Wide s = lanes::load(scores + b * kKeyBlock);
        if (cache.type == KvType::kInt8) {
            s = s * lanes::load(cache.key_scales + scale_at + b * kKeyBlock);
        }
        if (call.soft_cap > 0.0f) {
            s = lanes::tanh(s) * lanes::splat(call.soft_cap * lanes::kLog2E);
        }
        const std::size_t first = b * kKeyBlock, last = first + kKeyBlock;
        if (from > first || to < last) {
            s = lanes::keep(s, from > first ? from - first : 0, to > first ? to - first : 0,
                            kMinusInf);
        }
        score[b] = s;
        highest = lanes::max(s, highest);
    }
    const float top_score = lanes::fold_max(highest);
    const Wide base = lanes::splat(top_score > kLowestScore ? top_score : kLowestScore);
    Wide sum = lanes::splat(0.0f);
    for (std::size_t b = 0; b < blocks; ++b) {
        Wide weight = lanes::exp2(score[b] - base);
        sum = sum + weight;
        if (cache.type == KvType::kInt8) {
            weight = weight * lanes::load(cache.value_scales + scale_at + b * kKeyBlock);
        }
        lanes::store(scores + b * kKeyBlock, weight);
    }
    out.highest[t] = top_score;
    lanes::store(out.sums + t * kWide, sum);
}

template <KvType K>
void attend_segment(const Tile& tile, const float* queries, std::size_t segment,
                    const Partial& out) {
    alignas(64) float scores[kRowTile * kSegment];
    // Positions that any row of the tile sees; the first row's window begins first.
    std::size_t from, to, ignored;
    tile.visible(0, segment, from, ignored);
    tile.visible(tile.rows - 1, segment, ignored, to);
    from = std::min(from, to);
    const std::size_t blocks = (to + kKeyBlock - 1) / kKeyBlock;
    score_segment<K>(tile, queries, segment, blocks, scores);
    for (std::size_t t = 0; t < tile.rows; ++t) {
        weigh_row(tile, t, segment, blocks, scores + t * kSegment, out);
    }
    add_segment<K>(tile, scores, segment, from, to, out.values);
}

void attend_one(const Tile& tile, const float* queries, std::size_t segment, const Partial& out) {
    if (tile.call.cache.type == KvType::kFloat16) {
        attend_segment<KvType::kFloat16>(tile, queries, segment, out);
    } else {
        attend_segment<KvType::kInt8>(tile, queries, segment, out);
    }
}

// Adds `next` to `total`, both brought to the higher of their highest scores.
void merge(std::size_t rows, std::size_t head_dim, const Partial& next, const Partial& total) {
    alignas(64) float keep_total[kWide], keep_next[kWide];
    const Wide old = lanes::load(total.highest), other = lanes::load(next.highest);
    const Wide highest = lanes::max(other, old);
    const Wide base = lanes::max(highest, lanes::splat(kLowestScore));
    lanes::store(keep_total, lanes::exp2(old - base));
    lanes::store(keep_next, lanes::exp2(other - base));
    lanes::store(total.highest, highest);
    const auto add_scaled = [&](const float* from, float* to, std::size_t n, std::size_t t) {
        const Wide a = lanes::splat(keep_total[t]), b = lanes::splat(keep_next[t]);
        for (std::size_t i = 0; i < n; i += kWide) {
            lanes::store(to + i, lanes::fma(lanes::load(from + i), b, lanes::load(to + i) * a));
        }
    };
    for (std::size_t t = 0; t < rows; ++t) {
        add_scaled(next.sums + t * kWide, total.sums + t * kWide, kWide, t);
        add_scaled(next.values + t * head_dim, total.values + t * head_dim, head_dim, t);
    }
}

void clear(const Partial& partial, std::size_t head_dim) {
    std::fill_n(partial.highest, kRowTile, kMinusInf);
    std::fill_n(partial.sums, kRowTile * kWide, 0.0f);
    std::fill_n(partial.values, kRowTile * head_dim, 0.0f);
}

void finish(const Tile& tile, const Partial& total) {
    const std::size_t dim = tile.call.cache.head_dim;
    for (std::size_t t = 0; t < tile.rows; ++t) {
        const float sum = lanes::fold_sum(lanes::load(total.sums + t * kWide));
        const Wide factor = lanes::splat(1.0f / sum);
        float* to = tile.call.out + tile.place(t, tile.call.out_stride);
        for (std::size_t d = 0; d < dim; d += kWide) {
            lanes::store(to + d, lanes::load(total.values + t * dim + d) * factor);
        }
    }
}

// Late tiles see the most positions and come first.
Tile tile_of(const Attention& call, std::size_t unit) {
    return Tile(call, unit % call.cache.kv_heads, call.tiles() - 1 - unit / call.cache.kv_heads);
}

constexpr std::size_t kMostFloats = partial_floats(kMaxHeadDim);

void attend(const Attention& call, std::size_t first_unit, std::size_t last_unit) {
    alignas(64) float queries[kMaxHeadDim * kRowTile];
    alignas(64) float next_memory[kMostFloats], total_memory[kMostFloats];
    const Partial next = partial_at(next_memory), total = partial_at(total_memory);
    const std::size_t dim = call.cache.head_dim;
    clear(next, dim);
    for (std::size_t unit = first_unit; unit < last_unit; ++unit) {
        const Tile tile = tile_of(call, unit);
        load_queries(tile, queries);
        clear(total, dim);
        for (std::size_t s = tile.first_segment(); s < tile.last_segment(); ++s) {
            attend_one(tile, queries, s, next);
            merge(tile.rows, dim, next, total);
        }
        finish(tile, total);
    }
}

void attend_split(const Attention& call, std::size_t first_unit, std::size_t last_unit,
                  float* scratch) {
    alignas(64) float queries[kMaxHeadDim * kRowTile];
    const std::size_t segments = call.segments(), first = call.first_segment(0);
    std::size_t loaded = call.units();
    for (std::size_t unit = first_unit; unit < last_unit; ++unit) {
        const Tile tile = tile_of(call, unit / segments);
        const std::size_t segment = first + unit % segments;
        if (segment < tile.first_segment() || segment >= tile.last_segment()) continue;
        if (loaded != unit / segments) load_queries(tile, queries);
        loaded = unit / segments;
        const Partial out = partial_at(scratch + unit * partial_floats(call.cache.head_dim));
        std::fill_n(out.highest, kRowTile, kMinusInf);
        attend_one(tile, queries, segment, out);
    }
}

void attend_merge(const Attention& call, std::size_t first_unit, std::size_t last_unit,
                  const float* scratch) {
    alignas(64) float memory[kMostFloats];
    const Partial total = partial_at(memory);
    const std::size_t dim = call.cache.head_dim, segments = call.segments();
    const std::size_t first = call.first_segment(0);
    for (std::size_t unit = first_unit; unit < last_unit; ++unit) {
        const Tile tile = tile_of(call, unit);
        clear(total, dim);
        for (std::size_t s = tile.first_segment(); s < tile.last_segment(); ++s) {
            const std::size_t at = (unit * segments + s - first) * partial_floats(dim);
            merge(tile.rows, dim, partial_at(const_cast<float*>(scratch) + at), total);
        }
        finish(tile, total);
    }
}

// Codes of a row of n values; the returned scale is NaN unless all are finite.
float quantize_head(const float* x, std::size_t n, std::int8_t* codes) {
    const float highest = highest_magnitude(x, n / kWide);
    if (!(highest >= kLeastMagnitude)) {
        std::memset(codes, 0, n);
        return highest != highest ? highest : 0.0f;
    }
    const Wide inverse = lanes::splat(127.0f / highest);
    for (std::size_t i = 0; i < n; i += kWide) {
        store_bytes(codes + i, round_to_ints(lanes::load(x + i) * inverse));
    }
    return highest / 127.0f;
}

template <typename E>
void place_head(const KvCache& cache, std::size_t kv_head, std::size_t position, const E* key,
                const E* value) {
    const std::size_t head = kv_head * cache.context, dim = cache.head_dim;
    E* keys = static_cast<E*>(cache.keys) + (head + position / kKeyBlock * kKeyBlock) * dim +
              position % kKeyBlock;
    for (std::size_t d = 0; d < dim; ++d) keys[d * kKeyBlock] = key[d];
    std::memcpy(static_cast<E*>(cache.values) + (head + position) * dim, value, dim * sizeof(E));
}

void append(const KvCache& cache, std::size_t kv_head, std::size_t position, const float* key,
            const float* value) {
    const std::size_t dim = cache.head_dim;
    if (cache.type == KvType::kFloat16) {
        std::uint16_t halves[2][kMaxHeadDim];
        for (std::size_t d = 0; d < dim; d += kWide) {
            lanes::store_halves(halves[0] + d, lanes::load(key + d));
            lanes::store_halves(halves[1] + d, lanes::load(value + d));
        }
        place_head(cache, kv_head, position, halves[0], halves[1]);
        return;
    }
    std::int8_t codes[2][kMaxHeadDim];
    const std::size_t at = kv_head * cache.context + position;
    cache.key_scales[at] = quantize_head(key, dim, codes[0]);
    cache.value_scales[at] = quantize_head(value, dim, codes[1]);
    place_head(cache, kv_head, position, codes[0], codes[1]);
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
