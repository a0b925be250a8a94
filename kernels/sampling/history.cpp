#include "sampling/history.h"

namespace edgeward::sampling {

History::History(const Options& options)
    : repeats_(options.repetition_penalty != 1.0),
      counts_(options.frequency_penalty != 0.0 || options.presence_penalty != 0.0),
      remembers_(options.matches_repeats() || !options.bad_words_ids.empty() ||
                 (options.penalizes() && options.penalty_window > 0)),
      penalty_{{static_cast<float>(options.repetition_penalty),
                static_cast<float>(1.0 / options.repetition_penalty)}},
      frequency_(options.frequency_penalty),
      presence_(options.presence_penalty),
      window_(static_cast<std::size_t>(options.penalty_window)) {
    if (options.penalizes()) slots_.resize(options.tokens());
}

void History::observe_prompt(std::uint32_t id) { append(id, false); }

void History::observe(std::uint32_t id) {
    append(id, true);
    ++outputs_;
}

void History::append(std::uint32_t id, bool output) {
    if (repeats_ || (counts_ && output)) count(id, output);
    if (!remembers_) return;
    tokens_.push_back(id);
    is_output_.push_back(output);
    if (window_ == 0 || tokens_.size() <= window_) return;
    const std::size_t leaving = tokens_.size() - 1 - window_;
    if (repeats_ || (counts_ && is_output_[leaving])) forget(tokens_[leaving], is_output_[leaving]);
}

void History::count(std::uint32_t id, bool output) {
    if (slots_[id] == 0) {
        entries_.push_back({id, 0.0f});
        counts_of_.push_back({0, 0});
        slots_[id] = static_cast<std::uint32_t>(entries_.size());
    }
    Counts& counts = counts_of_[slots_[id] - 1];
    ++counts.all;
    counts.output += output;
    price(slots_[id] - 1);
}

void History::forget(std::uint32_t id, bool output) {
    const std::uint32_t slot = slots_[id] - 1;
    Counts& counts = counts_of_[slot];
    --counts.all;
    counts.output -= output;
    if (counts.all > 0) return price(slot);
    slots_[entries_.back().id] = slot + 1;
    slots_[id] = 0;
    entries_[slot] = entries_.back();
    counts_of_[slot] = counts_of_.back();
    entries_.pop_back();
    counts_of_.pop_back();
}

void History::price(std::uint32_t slot) {
    const std::uint32_t count = counts_of_[slot].output;
    entries_[slot].discount =
        count == 0 ? 0.0f : static_cast<float>(frequency_ * count + presence_);
}

}  // namespace edgeward::sampling
