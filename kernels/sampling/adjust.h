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

// Every change of one step to single logits, in the order it is made: `bans` to -inf, `biases`
// added, `penalties` (see History), `charges` subtracted. A group names no token twice, but for
// bans.
struct Edit {
    std::uint32_t id;
    float value;
};
struct EditCounts {
    std::uint32_t bans, biases, penalties, charges;
};

class Adjustments {
 public:
    explicit Adjustments(const Options& options);

    History& history() { return history_; }
    const History& history() const { return history_; }
    // True when apply() would change nothing, now.
    bool empty() const;

    // Appends what apply() would do now, for a device that does it to logits of its own.
    EditCounts list(std::vector<Edit>& edits);

    void apply(float* logits);
    // Undoes the last apply(), to the bit.
    void restore(float* logits);

 private:
    using Change = Edit;

    void plan();
    void set(float* logits, std::uint32_t id, float value) {
        *end_++ = {id, logits[id]};
        logits[id] = value;
    }
    void ban(float* logits, const std::vector<std::uint32_t>& ids);
    template <bool Ahead>
    void penalize(float* logits);
    template <bool Ahead>
    void put_back(float* logits);

    History history_;
    Repeats repeats_;
    bool matches_repeats_;
    bool far_;  // the logits are more than a core's own cache holds
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
