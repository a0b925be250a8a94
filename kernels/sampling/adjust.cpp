#include "sampling/adjust.h"

#include <limits>

namespace edgeward::sampling {

Adjustments::Adjustments(const Options& options) : history_(options) {
    for (const auto& [id, bias] : options.logit_bias) {
        bias_.push_back({static_cast<std::uint32_t>(id), static_cast<float>(bias)});
    }
    for (const std::int64_t id : options.banned_ids) {
        banned_.push_back(static_cast<std::uint32_t>(id));
    }
}

void Adjustments::apply(float* logits) {
    changed_.clear();
    // All memory first: nothing may throw between the first change and the last.
    changed_.reserve(banned_.size() + bias_.size() + history_.entries().size());
    for (const std::uint32_t id : banned_) {
        remember(id, logits[id]);
        logits[id] = -std::numeric_limits<float>::infinity();
    }
    for (const Change& bias : bias_) {
        remember(bias.id, logits[bias.id]);
        logits[bias.id] += bias.value;
    }
    for (const History::Entry& entry : history_.entries()) {
        const float logit = logits[entry.id];
        remember(entry.id, logit);
        logits[entry.id] = history_.penalized(logit, entry.discount);
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
