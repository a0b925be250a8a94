// Which tokens a request has seen, and what each of them costs now.
//
// Knows: the order of tokens, counts, the three penalties as vLLM documents them. Does not know:
// logits of other tokens.
//   repetition: tokens of the prompt and of the output; a positive logit is divided by the penalty,
//     a negative one multiplied (here: times the penalty's reciprocal rounded to float).
//   frequency, presence: tokens of the output only; logit -= frequency * count + presence.
// With a window only its last tokens count for all three, as in llama.cpp.
#pragma once

#include <cstddef>
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

    // What the repetition penalty and then an entry's discount make of a logit.
    struct Penalty {
        float factors[2];  // for logits <= 0 and > 0: no branch, signs are not to be guessed
        float operator()(float logit, float discount) const {
            return logit * factors[logit > 0] - discount;
        }
    };

    explicit History(const Options& options);

    void observe_prompt(std::uint32_t id);
    void observe(std::uint32_t id);

    // Every token with something to pay, each once, in no meaningful order.
    const std::vector<Entry>& entries() const { return entries_; }

    Penalty penalty() const { return penalty_; }

    // All tokens, oldest first; empty where no setting looks at their order.
    const std::vector<std::uint32_t>& tokens() const { return tokens_; }
    std::size_t outputs() const { return outputs_; }

 private:
    struct Counts {
        std::uint32_t all, output;
    };

    void append(std::uint32_t id, bool output);
    void count(std::uint32_t id, bool output);
    void forget(std::uint32_t id, bool output);
    void price(std::uint32_t slot);

    bool repeats_, counts_, remembers_;
    Penalty penalty_;
    double frequency_, presence_;
    std::size_t window_;
    std::size_t outputs_ = 0;
    std::vector<Entry> entries_;
    std::vector<Counts> counts_of_;     // beside entries_
    std::vector<std::uint32_t> slots_;  // id -> index in entries_ + 1; 0: nothing to pay
    std::vector<std::uint32_t> tokens_;
    std::vector<bool> is_output_;  // beside tokens_
};

}  // namespace edgeward::sampling
