// What one attention call computes, and how it is cut into work for threads.
//
// Knows: shapes, segments, partial results. Does not know: instruction sets (attention-inl.h),
// threads.
//
// softmax(scale * q k^T) v over the positions <= the query's own and, with a window, > position -
// window. Query head h belongs to kv head h / (heads / kv_heads). The *rows* of a kv head are its
// queries, token by token and head by head: row = token * (heads / kv_heads) + head in the group.
// Positions are cut into *segments* of 64 at multiples of 64. Every segment is computed by itself
// (highest score, sum, weighted values) and merged in order, so that the result of a row depends
// neither on the other rows, nor on threads, nor on how a prompt was cut into calls.
#pragma once

#include <algorithm>
#include <cstddef>

#include "ops/kv_cache.h"

namespace edgeward::ops {

constexpr std::size_t kSegment = 64;
constexpr std::size_t kRowTile = 16;  // rows of one unit of work

struct Attention {
    KvCache cache;                   // already holds the keys and values of this call's tokens
    std::size_t heads = 0;           // a multiple of cache.kv_heads
    std::size_t tokens = 0;          // queries
    std::size_t position = 0;        // of the first; position + tokens <= cache.context
    float scale = 1.0f;              // of the scores, usually head_dim^-1/2
    float soft_cap = 0.0f;           // scores become cap * tanh(score / cap); 0: off
    std::size_t window = 0;          // positions a query sees, itself included; 0: all
    const float* queries = nullptr;  // [tokens][query_stride], head h at h * head_dim
    std::size_t query_stride = 0;    // in floats
    float* out = nullptr;            // [tokens][out_stride], as the queries
    std::size_t out_stride = 0;

    std::size_t group() const { return heads / cache.kv_heads; }
    std::size_t rows() const { return tokens * group(); }
    std::size_t tiles() const { return (rows() + kRowTile - 1) / kRowTile; }

    // Segments that rows [first, last) look into: [first_segment, last_segment).
    std::size_t first_segment(std::size_t first_row) const {
        const std::size_t own = position + first_row / group();
        return window == 0 || own < window ? 0 : (own - window + 1) / kSegment;
    }
    std::size_t last_segment(std::size_t last_row) const {
        return (position + (last_row - 1) / group()) / kSegment + 1;
    }
    // For a call over few tokens, whose work is (kv head, tile, segment).
    std::size_t segments() const {
        return tokens == 0 ? 0 : last_segment(rows()) - first_segment(0);
    }
    std::size_t split_units() const { return cache.kv_heads * tiles() * segments(); }
    // Floats of scratch that attend_split and attend_merge share.
    std::size_t split_floats() const { return split_units() * kRowTile * (cache.head_dim + 17); }
    // For a call over many tokens, whose work is (tile, kv head), the longest first: let threads
    // take them one by one.
    std::size_t units() const { return tokens == 0 ? 0 : cache.kv_heads * tiles(); }
};

}  // namespace edgeward::ops
