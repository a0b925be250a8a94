// Which tokens a request has seen, and what each of them costs now.
//
// Knows: counts, the three penalties as vLLM documents them. Does not know: logits of other tokens.
//   repetition: tokens of the prompt and of the output; a positive logit is divided by the penalty,
//     a negative one multiplied (here: times the penalty's reciprocal rounded to float).
//   frequency, presence: tokens of the output only; logit -= frequency * count + presence.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/options.h"

namespace edgeward::sampling {

class History {
 public:
    struct Entry {
        std::uint32_t id;
        float discount;  // frequency * count + presence, subtracted last
    };

    explicit History(const Options& options);

    void observe_prompt(std::uint32_t id);
    void observe(std::uint32_t id);

    // Every token with something to pay, each once.
    const std::vector<Entry>& entries() const { return entries_; }

    float penalized(float logit, float discount) const {
        return logit * (logit > 0 ? shrink_ : grow_) - discount;
    }

 private:
    std::uint32_t slot_of(std::uint32_t id);

    bool repeats_, counts_;
    float shrink_, grow_;
    double frequency_, presence_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> output_counts_;  // beside entries_
    std::vector<std::uint32_t> slots_;          // id -> index in entries_ + 1; 0: not seen
};

}  // namespace edgeward::sampling
