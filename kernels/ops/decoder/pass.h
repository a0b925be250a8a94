// What all threads of one pass over the layers share: buffers and the plan of attention.
//
// Knows: sizes, which attention belongs to which sequence. Does not know: the order of operations.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "ops/decoder/batch.h"
#include "ops/decoder/shape.h"
#include "ops/decoder/workspace.h"
#include "ops/operators.h"

namespace edgeward::ops {

// Up to so many tokens every thread prepares the input of a matrix for itself: that costs less than
// waiting for another thread to do it.
constexpr std::size_t kPrivateTokens = 1;

// Attention of one sequence, as work for all threads.
struct AttentionJob {
    Sequence sequence;
    bool split = false;        // cut along the context too: few tokens
    float* scratch = nullptr;  // of a split
};

struct Pass {
    Pass(const DecoderShape& shape, const Piece& piece, std::size_t threads, Workspace& workspace);

    const DecoderShape& shape;
    const Piece& piece;
    std::size_t tokens, wanted;

    float* x = nullptr;         // [tokens][hidden]: the residual stream
    float* qkv = nullptr;       // [tokens][qkv_size]
    float* mixed = nullptr;     // [tokens][query_size]: attention's result
    float* branch = nullptr;    // [tokens][hidden]: a branch that is normed before it is added
    float* x_wanted = nullptr;  // [wanted][hidden]
    void* gated = nullptr;      // quantized rows of the MLP's middle
    // One for each thread where tokens <= kPrivateTokens, otherwise the first for all.
    std::vector<void*> inputs;
    std::vector<float*> rows;  // a row of floats for each thread

    std::vector<AttentionJob> jobs;
    bool any_split = false;
    // A step of one sequence: threads wait for each other as rarely as can be.
    bool alone = false;

    // Attention of `job` in a layer: its queries, cache and result.
    Attention attention(const AttentionJob& job, std::size_t layer) const;

    // Set when a thread has seen the caller's stop flag; alternates between two places so that a
    // slow thread may still read the last answer while the next is written.
    bool stopped[2] = {false, false};

    std::int64_t waited = 0;  // nanoseconds that the caller's thread stood at barriers

 private:
    std::size_t lay_out(std::uint8_t* memory, std::size_t threads);
};

}  // namespace edgeward::ops
