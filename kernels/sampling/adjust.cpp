#include "sampling/adjust.h"

#include <algorithm>
#include <limits>

namespace edgeward::sampling {
namespace {

std::vector<std::uint32_t> narrowed(const std::vector<std::int64_t>& ids) {
    return {ids.begin(), ids.end()};
}

}  // namespace

Adjustments::Adjustments(const Options& options)
    : history_(options),
      repeats_(options),
      matches_repeats_(options.matches_repeats()),
      min_tokens_(static_cast<std::size_t>(options.min_tokens)),
      banned_(narrowed(options.banned_ids)),
      end_ids_(narrowed(options.end_ids)) {
    for (const auto& [id, bias] : options.logit_bias) {
        bias_.push_back({static_cast<std::uint32_t>(id), static_cast<float>(bias)});
    }
    for (const std::vector<std::int64_t>& word : options.bad_words_ids) {
        if (word.size() == 1) {
            banned_.push_back(static_cast<std::uint32_t>(word[0]));
        } else {
            bad_words_.push_back(narrowed(word));
        }
    }
}

bool Adjustments::empty() const {
    const bool ends_open = end_ids_.empty() || history_.outputs() >= min_tokens_;
    return banned_.empty() && ends_open && bad_words_.empty() && !matches_repeats_ &&
           bias_.empty() && history_.entries().empty();
}

// Everything that depends on the order of the tokens seen, and all memory: nothing may throw
// between the first change and the last.
void Adjustments::plan() {
    if (matches_repeats_) repeats_.update(history_);
    completing_.clear();
    const std::vector<std::uint32_t>& tokens = history_.tokens();
    for (const std::vector<std::uint32_t>& word : bad_words_) {
        const std::size_t head = word.size() - 1;
        // vLLM: the beginning must stand at the end of the output, not in the prompt.
        const bool begun = head <= history_.outputs() &&
                           std::equal(word.begin(), word.end() - 1, tokens.end() - head);
        if (begun) completing_.push_back(word.back());
    }
    changed_.clear();
    changed_.reserve(banned_.size() + end_ids_.size() + completing_.size() +
                     repeats_.banned().size() + bias_.size() + history_.entries().size() +
                     repeats_.penalties().size());
}

void Adjustments::ban(float* logits, const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) {
        remember(id, logits[id]);
        logits[id] = -std::numeric_limits<float>::infinity();
    }
}

void Adjustments::apply(float* logits) {
    plan();
    ban(logits, banned_);
    if (history_.outputs() < min_tokens_) ban(logits, end_ids_);
    ban(logits, completing_);
    ban(logits, repeats_.banned());
    for (const Change& bias : bias_) {
        remember(bias.id, logits[bias.id]);
        logits[bias.id] += bias.value;
    }
    for (const History::Entry& entry : history_.entries()) {
        const float logit = logits[entry.id];
        remember(entry.id, logit);
        logits[entry.id] = history_.penalized(logit, entry.discount);
    }
    for (const Repeats::Penalty& penalty : repeats_.penalties()) {
        remember(penalty.id, logits[penalty.id]);
        logits[penalty.id] -= penalty.discount;
    }
}

void Adjustments::restore(float* logits) {
    // Backwards: a token that was changed twice ends with its first value.
    for (auto change = changed_.rbegin(); change != changed_.rend(); ++change) {
        logits[change->id] = change->value;
    }
    changed_.clear();
}

}  // namespace edgeward::sampling
