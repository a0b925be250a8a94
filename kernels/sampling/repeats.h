// Which tokens would go on repeating what the history said before.
//
// Knows: DRY (p-e-w, text-generation-webui pull request 5677, as in llama.cpp) and
// no-repeat-ngram (Hugging Face transformers). Does not know: logits, text.
// Both ask the same of a token t: how long is the longest run of tokens that ends the history now
// and stood before an earlier t? One Z-function over the reversed history answers for all.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/history.h"
#include "sampling/options.h"

namespace edgeward::sampling {

class Repeats {
 public:
    struct Penalty {
        std::uint32_t id;
        float discount;
    };

    explicit Repeats(const Options& options);

    // Looks at the history as it is now. Work grows with the tokens looked at, and not faster.
    void update(const History& history);

    // Tokens that would complete an n-gram the history holds; one may come twice.
    const std::vector<std::uint32_t>& banned() const { return banned_; }
    // What DRY subtracts, each token once.
    const std::vector<Penalty>& penalties() const { return penalties_; }

 private:
    void match(const std::vector<std::uint32_t>& tokens, std::size_t count);
    void ban_ngrams(const std::vector<std::uint32_t>& tokens);
    void price_runs(const std::vector<std::uint32_t>& tokens, std::size_t count);

    double multiplier_, base_;
    std::size_t allowed_length_, window_, ngram_;
    std::vector<std::uint32_t> run_;      // run_[j]: length of the run that ends j tokens back
    std::vector<std::uint32_t> longest_;  // id -> longest run before it; all 0 between updates
    std::vector<bool> breaks_;            // id -> is a breaker
    std::vector<std::uint32_t> banned_;
    std::vector<Penalty> penalties_;
};

}  // namespace edgeward::sampling
