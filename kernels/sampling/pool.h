// The tokens still in play, and the few cuts that can be made on logits alone.
//
// Knows: values, ids, thresholds, top-k. Does not know: temperature, probabilities, randomness.
// Nothing is sorted: the k-th highest of the blocks' maxima is a lower bound on the k-th highest
// value (k blocks hold one value each that reaches it), so one look at the maxima names the few
// blocks that can hold a survivor.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/passes.h"

namespace edgeward::sampling {

class Pool {
 public:
    explicit Pool(const Passes& passes) : passes_(passes) {}

    // Takes n logits, finds the highest. Throws std::invalid_argument on NaN, on +inf and when
    // every value is -inf. The array must outlive the pool's use of it.
    void reset(const float* logits, std::size_t n);
    // The same for n logits out of `all`, whose tokens are `ids`, in rising order.
    void reset(const float* logits, std::size_t n, const std::uint32_t* ids, std::size_t all);

    // The token of the highest value, the lowest one of several.
    std::uint32_t best() const;

    // Keeps the values >= threshold; if more than k remain and k > 0, the k highest of them, equal
    // values by lower index. -inf is never kept. Where nearly all remain they are left where they
    // are: then floor() tells them from the others.
    void cut(float threshold, std::size_t k);

    float highest() const { return highest_; }
    // Values below are cut, though they may still be among values().
    float floor() const { return floor_; }
    std::size_t size() const { return size_; }
    const float* values() const { return values_; }
    // The token at index i; indices rise with ids.
    std::uint32_t id(std::size_t i) const {
        const std::uint32_t index = whole_ ? static_cast<std::uint32_t>(i) : ids_[i];
        return given_ids_ == nullptr ? index : given_ids_[index];
    }

 private:
    void refuse_nan() const;
    float bound_on_kth(std::size_t k);
    bool many_reach(float threshold) const;
    void gather(float threshold);
    void keep_highest(std::size_t k);

    const Passes& passes_;
    const float* values_ = nullptr;
    std::size_t size_ = 0;
    bool whole_ = true;  // values_ is the caller's array, and ids_ would be its indices
    const std::uint32_t* given_ids_ = nullptr;  // tokens of the caller's array; null: its indices
    float highest_ = 0, floor_ = 0;
    std::vector<float> block_highest_, kept_, work_;
    std::vector<std::uint32_t> ids_;
};

}  // namespace edgeward::sampling
