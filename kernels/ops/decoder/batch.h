// What one call of a decoder computes: new tokens of one or more sequences.
//
// Knows: which token belongs to which sequence and position. Does not know: weights, threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgeward::ops {

// Consecutive new tokens of one sequence.
struct Sequence {
    std::size_t first = 0;          // index of its first token in the batch
    std::size_t count = 0;          // new tokens, at least one
    std::size_t position = 0;       // of the first; what is before it stands in the cache
    std::uint8_t* cache = nullptr;  // keys and values of all layers (Decoder::cache_bytes)
};

struct Batch {
    const std::int64_t* ids = nullptr;
    std::size_t tokens = 0;
    std::vector<Sequence> sequences;       // ascending and without gaps
    const std::int32_t* wanted = nullptr;  // tokens whose logits are asked for, ascending
    std::size_t wanted_count = 0;
    float* logits = nullptr;        // [wanted_count][vocabulary]
    std::size_t cache_context = 0;  // positions of each cache, a multiple of 64
};

// The part of a batch that is computed at once.
struct Piece {
    Batch batch;                  // its ids, sequences and logits
    std::size_t wanted_from = 0;  // token of the whole batch that the piece begins with
    std::size_t wanted_token(std::size_t i) const {
        return static_cast<std::size_t>(batch.wanted[i]) - wanted_from;
    }
};

// Tokens [first, first + count) of `batch`. `vocabulary` is the stride of its logits.
Piece piece_of(const Batch& batch, std::size_t first, std::size_t count, std::size_t vocabulary);

}  // namespace edgeward::ops
