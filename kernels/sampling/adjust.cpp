#include "sampling/adjust.h"

#include <algorithm>
#include <limits>

namespace edgeward::sampling {
namespace {

// Changes between asking for a logit's memory and needing it.
constexpr std::size_t kAhead = 24;
// Logits up to here stay in the cache from one pass to the next; asking for them costs 1 us in 7.
constexpr std::size_t kNear = std::size_t{1} << 17;

std::vector<std::uint32_t> narrowed(const std::vector<std::int64_t>& ids) {
    return {ids.begin(), ids.end()};
}

}  // namespace

Adjustments::Adjustments(const Options& options)
    : history_(options),
      repeats_(options),
      matches_repeats_(options.matches_repeats()),
      far_(options.tokens() > kNear),
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
    const std::size_t most = banned_.size() + end_ids_.size() + completing_.size() +
                             repeats_.banned().size() + bias_.size() + history_.entries().size() +
                             repeats_.penalties().size();
    if (changed_.size() < most) changed_.resize(most + most / 2);
    end_ = changed_.data();
}

void Adjustments::ban(float* logits, const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) set(logits, id, -std::numeric_limits<float>::infinity());
}

// Thousands of tokens, all over the logits: the loop keeps its state in registers, and asks for
// memory before it needs it.
template <bool Ahead>
void Adjustments::penalize(float* logits) {
    const History::Penalty penalty = history_.penalty();
    const std::vector<History::Entry>& entries = history_.entries();
    const std::size_t count = entries.size();
    Change* end = end_;
    for (std::size_t i = 0; i < count; ++i) {
        if constexpr (Ahead) {
            __builtin_prefetch(logits + entries[std::min(i + kAhead, count - 1)].id, 1);
        }
        const History::Entry& entry = entries[i];
        const float logit = logits[entry.id];
        *end++ = {entry.id, logit};
        logits[entry.id] = penalty(logit, entry.discount);
    }
    end_ = end;
}

EditCounts Adjustments::list(std::vector<Edit>& edits) {
    plan();
    std::size_t before = edits.size();
    const auto added = [&] {
        const std::size_t count = edits.size() - before;
        before = edits.size();
        return static_cast<std::uint32_t>(count);
    };
    const auto ban = [&](const std::vector<std::uint32_t>& ids) {
        for (const std::uint32_t id : ids) edits.push_back({id, 0.0f});
    };
    EditCounts counts{};
    ban(banned_);
    if (history_.outputs() < min_tokens_) ban(end_ids_);
    ban(completing_);
    ban(repeats_.banned());
    counts.bans = added();
    edits.insert(edits.end(), bias_.begin(), bias_.end());
    counts.biases = added();
    for (const History::Entry& e : history_.entries()) edits.push_back({e.id, e.discount});
    counts.penalties = added();
    for (const Repeats::Penalty& p : repeats_.penalties()) edits.push_back({p.id, p.discount});
    counts.charges = added();
    return counts;
}

void Adjustments::apply(float* logits) {
    plan();
    ban(logits, banned_);
    if (history_.outputs() < min_tokens_) ban(logits, end_ids_);
    ban(logits, completing_);
    ban(logits, repeats_.banned());
    for (const Change& bias : bias_) set(logits, bias.id, logits[bias.id] + bias.value);
    far_ ? penalize<true>(logits) : penalize<false>(logits);
    for (const Repeats::Penalty& penalty : repeats_.penalties()) {
        set(logits, penalty.id, logits[penalty.id] - penalty.discount);
    }
}

void Adjustments::restore(float* logits) {
    far_ ? put_back<true>(logits) : put_back<false>(logits);
}

template <bool Ahead>
void Adjustments::put_back(float* logits) {
    // Backwards: a token that was changed twice ends with its first value.
    const Change* const changed = changed_.data();
    auto left = static_cast<std::size_t>(end_ - changed);
    end_ = changed_.data();
    while (left-- > 0) {
        if constexpr (Ahead) {
            __builtin_prefetch(logits + changed[left > kAhead ? left - kAhead : 0].id, 1);
        }
        logits[changed[left].id] = changed[left].value;
    }
}

}  // namespace edgeward::sampling
