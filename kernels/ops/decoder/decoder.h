// A whole decoder as one function: token ids in, logits of the wanted positions out.
//
// Knows: the order of a decoder's operations and how threads share them. Does not know: the
// arithmetic (operators.h), ONNX, where weights come from.
//
// The logits of a position depend on the ids before it only: not on threads, on how a prompt was
// cut into calls, nor on what else is in a batch. Keys and values are float16 in every call, so a
// prefill and a step see the same ones.
#pragma once

#include <atomic>
#include <cstddef>

#include "ops/decoder/batch.h"
#include "ops/decoder/shape.h"
#include "ops/decoder/weights.h"
#include "ops/decoder/workspace.h"
#include "ops/operators.h"
#include "ops/team.h"

namespace edgeward::ops {

// Tokens that are computed at once: enough for the matrix kernels, few enough that their
// intermediate results stay in a core's cache and that another request waits a moment only.
constexpr std::size_t kPieceTokens = 128;

class Decoder {
 public:
    // `weights` must outlive the decoder.
    Decoder(const DecoderShape& shape, const DecoderWeights& weights, const Operators& operators)
        : shape_(shape), weights_(weights), ops_(operators) {}

    const DecoderShape& shape() const { return shape_; }

    // Bytes of the cache of one sequence: [layer][keys, values][kv_cache.h].
    std::size_t cache_bytes(std::size_t context) const {
        return shape_.layers.size() * 2 * shape_.kv_size() * context * sizeof(std::uint16_t);
    }

    // Computes one piece: at most kPieceTokens tokens. Returns false when `stop` (may be null) was
    // set: the logits are then not written, and the cache holds nothing of use from the piece's
    // first position on. Throws std::bad_alloc before anything is computed.
    // `waited`, where given, is set to the nanoseconds that the caller waited for other threads.
    bool run(Team& team, Workspace& workspace, const Piece& piece, const std::atomic<bool>* stop,
             std::int64_t* waited = nullptr) const;

 private:
    DecoderShape shape_;
    DecoderWeights weights_;
    const Operators& ops_;
};

}  // namespace edgeward::ops
