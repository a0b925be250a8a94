#include "sampling/history.h"

namespace edgeward::sampling {

History::History(const Options& options)
    : repeats_(options.repetition_penalty != 1.0),
      counts_(options.frequency_penalty != 0.0 || options.presence_penalty != 0.0),
      shrink_(static_cast<float>(1.0 / options.repetition_penalty)),
      grow_(static_cast<float>(options.repetition_penalty)),
      frequency_(options.frequency_penalty),
      presence_(options.presence_penalty) {
    if (repeats_ || counts_) slots_.resize(options.tokens());
}

std::uint32_t History::slot_of(std::uint32_t id) {
    if (slots_[id] == 0) {
        entries_.push_back({id, 0.0f});
        output_counts_.push_back(0);
        slots_[id] = static_cast<std::uint32_t>(entries_.size());
    }
    return slots_[id] - 1;
}

void History::observe_prompt(std::uint32_t id) {
    if (repeats_) slot_of(id);
}

void History::observe(std::uint32_t id) {
    if (!repeats_ && !counts_) return;
    const std::uint32_t slot = slot_of(id);
    const std::uint32_t count = ++output_counts_[slot];
    entries_[slot].discount = static_cast<float>(frequency_ * count + presence_);
}

}  // namespace edgeward::sampling
