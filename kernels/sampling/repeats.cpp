#include "sampling/repeats.h"

#include <algorithm>

namespace edgeward::sampling {
namespace {

constexpr double kLargestDiscount = 1e30;  // far below every logit, far from overflow

// base^exponent by multiplication alone, the same on every machine; base >= 1.
double power(double base, std::size_t exponent) {
    double result = 1;
    for (; exponent > 0 && result < kLargestDiscount; exponent >>= 1) {
        if ((exponent & 1) != 0) result *= base;
        base = std::min(base * base, kLargestDiscount);
    }
    return result;
}

}  // namespace

Repeats::Repeats(const Options& options)
    : multiplier_(options.dry_multiplier),
      base_(options.dry_base),
      allowed_length_(static_cast<std::size_t>(options.dry_allowed_length)),
      window_(static_cast<std::size_t>(options.dry_window)),
      ngram_(static_cast<std::size_t>(options.no_repeat_ngram_size)) {
    if (multiplier_ == 0) return;
    longest_.resize(options.tokens());
    breaks_.resize(options.tokens());
    for (const std::int64_t id : options.dry_breaker_ids) {
        breaks_[static_cast<std::size_t>(id)] = true;
    }
}

// Z-function of the last `count` tokens read backwards: run_[j] is the number of tokens that agree
// between the end of the history and the place j tokens before it.
void Repeats::match(const std::vector<std::uint32_t>& tokens, std::size_t count) {
    const std::uint32_t* last = tokens.data() + tokens.size() - 1;
    run_.assign(count, 0);
    std::size_t begin = 0, end = 0;  // the run found so far that reaches furthest back
    for (std::size_t j = 1; j < count; ++j) {
        std::size_t length =
            j < end ? std::min<std::size_t>(run_[j - begin], end - j) : std::size_t{0};
        while (j + length < count && *(last - length) == *(last - j - length)) ++length;
        run_[j] = static_cast<std::uint32_t>(length);
        if (j + length > end) {
            begin = j;
            end = j + length;
        }
    }
}

void Repeats::ban_ngrams(const std::vector<std::uint32_t>& tokens) {
    // n = 1 is every token seen; the oldest one follows no run and is not met below.
    if (ngram_ == 1) banned_.push_back(tokens.front());
    for (std::size_t j = 1; j < run_.size(); ++j) {
        if (run_[j] + 1 >= ngram_) banned_.push_back(tokens[tokens.size() - j]);
    }
}

void Repeats::price_runs(const std::vector<std::uint32_t>& tokens, std::size_t count) {
    // No run goes back past a breaker.
    std::size_t reach = 0;
    while (reach < count && !breaks_[tokens[tokens.size() - 1 - reach]]) ++reach;
    if (reach < allowed_length_) return;
    for (std::size_t j = 1; j < count; ++j) {
        const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(run_[j], reach));
        const std::uint32_t next = tokens[tokens.size() - j];
        if (length < allowed_length_ || breaks_[next]) continue;
        if (longest_[next] == 0) penalties_.push_back({next, 0.0f});
        longest_[next] = std::max(longest_[next], length);
    }
    for (Penalty& penalty : penalties_) {
        const double grown = power(base_, longest_[penalty.id] - allowed_length_);
        penalty.discount = static_cast<float>(std::min(multiplier_ * grown, kLargestDiscount));
        longest_[penalty.id] = 0;
    }
}

void Repeats::update(const History& history) {
    banned_.clear();
    penalties_.clear();
    const std::vector<std::uint32_t>& tokens = history.tokens();
    if (tokens.empty()) return;
    if (ngram_ > 0) {
        match(tokens, tokens.size());
        ban_ngrams(tokens);
    }
    if (multiplier_ > 0) {
        const std::size_t count = window_ > 0 ? std::min(window_, tokens.size()) : tokens.size();
        if (ngram_ == 0 || count < tokens.size()) match(tokens, count);
        price_runs(tokens, count);
    }
}

}  // namespace edgeward::sampling
