// One thread's way through the layers.
//
// Knows: the order of operations, what is shared out and where threads wait for each other. Does
// not know: the arithmetic.
#pragma once

#include <atomic>
#include <cstddef>

#include "ops/decoder/pass.h"
#include "ops/decoder/weights.h"
#include "ops/operators.h"
#include "ops/team.h"

namespace edgeward::ops {

class Worker {
 public:
    Worker(const DecoderWeights& weights, const Operators& ops, Pass& pass,
           const std::atomic<bool>* stop, Member& member)
        : shape_(pass.shape),
          weights_(weights),
          ops_(ops),
          pass_(pass),
          stop_(stop),
          member_(member) {}

    void run();

 private:
    // Rows of activations between two matrices: floats, and which of them.
    struct Rows {
        float* data;
        std::size_t count, stride;
    };

    bool layer(std::size_t index, Rows& x);
    void embed();
    bool attend(std::size_t index);
    void rotate(std::size_t index);
    void rotate_token(std::size_t index, const AttentionJob& job, std::size_t token,
                      std::size_t first_head, std::size_t last_head);
    // Bias, norms and rotation of the kv heads [first, last) and their queries, in one token's row.
    void turn(std::size_t index, std::size_t position, float* qkv, std::size_t first_head,
              std::size_t last_head);
    void append(const Attention& attention, std::size_t head, std::size_t position,
                const float* qkv);
    // One token of one sequence: turned and merged by every thread for itself, which costs less
    // than two more waits. Leaves this thread's quantized copy of the result.
    QuantizedRows attend_alone(std::size_t index);
    void keep_wanted(Rows& x);
    // x += matrix * input + bias, the sum normed first where `norm` is not null.
    void project(const PackedMatrix& matrix, const float* bias, const QuantizedRows& input,
                 const float* norm, const Rows& x);
    void add_branch(const float* norm, const Rows& x);
    void logits(const Rows& x);

    // The rows, normed where `norm` is not null, quantized: by this thread where they are few, by
    // all with a wait at the end otherwise.
    QuantizedRows prepare(const Rows& rows, const float* norm, std::size_t columns);

    // Calls work(first, last) for this thread's part of `groups`.
    template <typename Work>
    void deal(std::size_t groups, std::size_t rows, const Work& work);

    // Waits for the others; true when the caller wants to stop, the same for all threads.
    bool wait();
    bool stopping() const { return stop_ != nullptr && stop_->load(std::memory_order_relaxed); }

    const DecoderShape& shape_;
    const DecoderWeights& weights_;
    const Operators& ops_;
    Pass& pass_;
    const std::atomic<bool>* stop_;
    Member& member_;
    std::size_t turn_ = 0;
    bool stopped_ = false;
};

}  // namespace edgeward::ops
