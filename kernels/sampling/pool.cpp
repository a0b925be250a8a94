#include "sampling/pool.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

namespace edgeward::sampling {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr std::size_t kSample = 1024, kSmallSample = 128;

// The k-th highest of values[0..n), which are reordered.
float kth_highest(float* values, std::size_t n, std::size_t k) {
    std::nth_element(values, values + (k - 1), values + n, std::greater<>());
    return values[k - 1];
}

}  // namespace

void Pool::refuse_nan() const {
    for (std::size_t i = 0; i < size_; ++i) {
        if (std::isnan(values_[i])) {
            throw std::invalid_argument(
                "logits[" + std::to_string(id(i)) +
                "] is NaN; the model's output is damaged, nothing was drawn");
        }
    }
}

void Pool::reset(const float* logits, std::size_t n) { reset(logits, n, nullptr, n); }

void Pool::reset(const float* logits, std::size_t n, const std::uint32_t* ids, std::size_t all) {
    values_ = logits;
    given_ids_ = ids;
    size_ = n;
    whole_ = true;
    floor_ = -std::numeric_limits<float>::infinity();
    block_highest_.resize(blocks_of(n));
    if (passes_.block_max(logits, n, block_highest_.data())) refuse_nan();
    highest_ = -std::numeric_limits<float>::infinity();
    for (const float highest : block_highest_) highest_ = std::max(highest_, highest);
    if (highest_ == std::numeric_limits<float>::infinity()) {
        throw std::invalid_argument("logits[" + std::to_string(best()) +
                                    "] is +inf; the model's output is damaged, nothing was drawn");
    }
    if (highest_ < kLowest) {
        throw std::invalid_argument("no token is allowed: all " + std::to_string(all) +
                                    " logits are -inf or masked");
    }
}

std::uint32_t Pool::best() const {
    const auto block = std::find(block_highest_.begin(), block_highest_.end(), highest_);
    const float* begin =
        values_ + static_cast<std::size_t>(block - block_highest_.begin()) * kBlock;
    return id(static_cast<std::size_t>(std::find(begin, values_ + size_, highest_) - values_));
}

// Above a quarter of the blocks the maxima say too little; then the same rank in every n/kSample-th
// value is a guess that is nearly always right, and whose failure costs one more gathering.
float Pool::bound_on_kth(std::size_t k) {
    const std::size_t blocks = block_highest_.size();
    if (k <= blocks / 2) {
        work_.assign(block_highest_.begin(), block_highest_.end());
        return kth_highest(work_.data(), blocks, k);
    }
    const std::size_t stride = std::max<std::size_t>(1, size_ / kSample);
    work_.clear();
    for (std::size_t i = stride / 2; i < size_; i += stride) work_.push_back(values_[i]);
    const double share = static_cast<double>(work_.size()) / static_cast<double>(size_);
    const double rank = static_cast<double>(k) * share;
    const double safe_rank = rank + 4.0 * std::sqrt(rank) + 8.0;
    if (safe_rank >= static_cast<double>(work_.size())) return kLowest;
    return kth_highest(work_.data(), work_.size(), static_cast<std::size_t>(safe_rank));
}

// Gathering costs about five times as much a survivor as weighing costs a value; the sample need
// not be good.
bool Pool::many_reach(float threshold) const {
    const auto reach = static_cast<std::size_t>(
        std::count_if(block_highest_.begin(), block_highest_.end(),
                      [threshold](float highest) { return highest >= threshold; }));
    if (reach * 4 < block_highest_.size()) return false;
    const std::size_t stride = std::max<std::size_t>(1, size_ / kSmallSample);
    std::size_t above = 0, looked_at = 0;
    for (std::size_t i = stride / 2; i < size_; i += stride, ++looked_at) {
        above += values_[i] >= threshold ? 1 : 0;
    }
    return above * 5 > looked_at;
}

void Pool::gather(float threshold) {
    std::size_t room = 0;
    for (const float highest : block_highest_) room += highest >= threshold ? kBlock : 0;
    if (kept_.size() < room) {
        kept_.resize(room);
        ids_.resize(room);
    }
    size_ = passes_.collect(values_, size_, block_highest_.data(), threshold, ids_.data(),
                            kept_.data());
    values_ = kept_.data();
    whole_ = false;
}

void Pool::keep_highest(std::size_t k) {
    work_.assign(values_, values_ + size_);
    const float bar = kth_highest(work_.data(), size_, k);
    const auto above = static_cast<std::size_t>(
        std::count_if(work_.begin(), work_.begin() + static_cast<std::ptrdiff_t>(k),
                      [bar](float value) { return value > bar; }));
    std::size_t equal_left = k - above, count = 0;
    for (std::size_t i = 0; i < size_; ++i) {
        const bool keep = kept_[i] > bar || (kept_[i] == bar && equal_left > 0);
        if (!keep) continue;
        equal_left -= kept_[i] == bar;
        kept_[count] = kept_[i];
        ids_[count++] = ids_[i];
    }
    size_ = count;
}

void Pool::cut(float threshold, std::size_t k) {
    threshold = std::max(threshold, kLowest);
    const float* all = values_;
    const std::size_t n = size_;
    const bool limited = k > 0 && k < n;
    if (!limited && many_reach(threshold)) {
        floor_ = threshold;
        return;
    }
    const float bound = limited ? std::max(threshold, bound_on_kth(k)) : threshold;
    gather(bound);
    if (limited && size_ < k && bound > threshold) {  // the guess was too high
        values_ = all;
        size_ = n;
        gather(threshold);
    }
    if (limited && size_ > k) keep_highest(k);
}

}  // namespace edgeward::sampling
