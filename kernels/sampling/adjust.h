// Changes the logits of a few tokens and puts them back.
//
// Knows: bans, bias, penalties, in vLLM's order, then DRY. Does not know: the other hundred
// thousand logits, which are neither copied nor touched: that is why a penalty costs by the length
// of the history and not by the vocabulary.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/history.h"
#include "sampling/options.h"
#include "sampling/repeats.h"

namespace edgeward::sampling {

class Adjustments {
 public:
    explicit Adjustments(const Options& options);

    History& history() { return history_; }
    const History& history() const { return history_; }
    // True when apply() would change nothing, now.
    bool empty() const;

    void apply(float* logits);
    // Undoes the last apply(), to the bit.
    void restore(float* logits);

 private:
    struct Change {
        std::uint32_t id;
        float value;
    };

    void plan();
    void set(float* logits, std::uint32_t id, float value) {
        *end_++ = {id, logits[id]};
        logits[id] = value;
    }
    void ban(float* logits, const std::vector<std::uint32_t>& ids);
    void penalize(float* logits);

    History history_;
    Repeats repeats_;
    bool matches_repeats_;
    std::size_t min_tokens_;
    std::vector<Change> bias_;
    std::vector<std::uint32_t> banned_, end_ids_, completing_;
    std::vector<std::vector<std::uint32_t>> bad_words_;  // of two tokens and more
    std::vector<Change> changed_;                        // values before, in the order of change
    Change* end_ = nullptr;                              // behind the last one
};

// Restores on the way out, also when an error is thrown.
class AdjustedLogits {
 public:
    AdjustedLogits(Adjustments& adjustments, float* logits)
        : adjustments_(adjustments), logits_(logits) {
        adjustments_.apply(logits_);
    }
    ~AdjustedLogits() { adjustments_.restore(logits_); }
    AdjustedLogits(const AdjustedLogits&) = delete;
    AdjustedLogits& operator=(const AdjustedLogits&) = delete;

 private:
    Adjustments& adjustments_;
    float* logits_;
};

}  // namespace edgeward::sampling
