// The encoder's memory of a text: the last word vectors and the pools of the open windows.
//
// Knows: words as vectors, layers, windows. Does not know: characters, calibration. Word n's
// features depend on at most kFirstReach + kSecondReach words before it, so a text may come word by
// word or all at once and ends in the same bits, at a constant cost a word and in constant memory.
//
// Windows of `window` words begin every half window. One counts when it holds a word that no window
// before it holds; a text's score is the highest of its windows'.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "safety/cutter.h"
#include "safety/dense.h"
#include "safety/model.h"

namespace edgeward::safety {

class EncoderState {
 public:
    EncoderState(const Encoder& encoder, std::size_t heads, Isa isa);

    void add(const Word& word, std::uint32_t hash);

    // Runs the layers over the words that wait for it. Call it before logits() and windows().
    void settle();

    std::array<float, kMaxHeads> logits() const;
    std::size_t windows() const;

 private:
    static constexpr std::size_t kBatch = 32;

    struct Pool {
        std::array<float, kMaxChannels> highest, sum;
        std::size_t count = 0;
        void add(const float* row, std::size_t channels);
    };

    void embed(const Word& word, std::uint32_t hash, float* row) const;
    void pool(const float* row);
    std::array<float, kMaxHeads> score(const Pool& pool) const;

    const Encoder* encoder_;
    std::size_t heads_;
    Dense dense_;
    std::vector<float> vectors_;   // [kFirstReach + kBatch][width]
    std::vector<float> features_;  // [kSecondReach + kBatch][channels]
    std::vector<float> outputs_;   // [kBatch][channels]
    std::size_t waiting_ = 0;
    std::size_t count_ = 0;  // words that went through the layers
    Pool older_, newer_;     // the window that is open, and the one that began half later
    bool closed_any_ = false;
    std::array<float, kMaxHeads> highest_{};  // of the closed windows
};

}  // namespace edgeward::safety
