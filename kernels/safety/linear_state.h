// The linear scorer's memory of a text: which features it has seen, and the sum of their weights.
//
// Knows: hashes and int8 weights. Does not know: words. A feature counts once however often it
// comes; the sum is of integers, so no order and no cut of the text into pieces changes it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "safety/model.h"

namespace edgeward::safety {

class LinearState {
 public:
    LinearState(const Linear& linear, std::size_t heads)
        : linear_(&linear), heads_(heads), seen_((linear.buckets + 63) / 64) {}

    void add(std::uint32_t hash) {
        const std::uint32_t bucket = hash & (linear_->buckets - 1);
        std::uint64_t& block = seen_[bucket / 64];
        const std::uint64_t bit = std::uint64_t{1} << (bucket % 64);
        if ((block & bit) != 0) return;
        block |= bit;
        ++distinct_;
        const std::int8_t* weights = linear_->weights.data() + bucket * heads_;
        for (std::size_t h = 0; h < heads_; ++h) sums_[h] += weights[h];
    }

    // True if no head's score reaches what the encoder is asked for.
    bool enough(const std::vector<Head>& heads) const {
        for (std::size_t h = 0; h < heads_; ++h) {
            if (!(logit(h) < heads[h].alone.from)) return false;
        }
        return true;
    }

    float logit(std::size_t head) const {
        if (distinct_ == 0) return linear_->bias[head];
        const double length = std::sqrt(static_cast<double>(distinct_));
        const double mean = static_cast<double>(sums_[head]) / length;
        return static_cast<float>(mean * linear_->scale[head] + linear_->bias[head]);
    }

 private:
    const Linear* linear_;
    std::size_t heads_;
    std::vector<std::uint64_t> seen_;
    std::uint32_t distinct_ = 0;
    std::array<std::int64_t, kMaxHeads> sums_{};
};

}  // namespace edgeward::safety
