// Drawing one index in proportion to integer weights, from all of them or from the nucleus (top-p).
//
// Knows: weights, their order, one request's random numbers. Does not know: logits, tokens.
// Rank: higher weight first, equal weights by lower index. The nucleus of p is every index whose
// higher-ranked ones weigh less than p of the whole: the smallest set of the highest that reaches
// p.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/passes.h"
#include "sampling/philox.h"

namespace edgeward::sampling {

struct Dice {
    std::uint64_t seed, position;
    std::uint64_t bits(std::uint32_t attempt) const {
        return random_bits(seed, position, attempt, Stream::kToken);
    }
};

class Weights {
 public:
    explicit Weights(const Passes& passes) : passes_(passes) {}

    // Weighs n values: see Passes::weigh.
    void reset(const float* values, std::size_t n, float highest, float scale);

    std::uint64_t total() const { return total_; }
    std::uint32_t operator[](std::size_t i) const { return weights_[i]; }
    std::size_t size() const { return size_; }
    // Sets weights to zero, at least one must stay; then recount() makes the sums right again.
    void drop(std::size_t i) { weights_[i] = 0; }
    void recount();

    std::size_t draw(const Dice& dice) const;

    // Draws from all, and draws again from what ranks above the loser as long as the draw falls
    // outside the nucleus: the same distribution as cutting first, without finding the cut. About
    // 1/p attempts, each one pass over the weights. Spoils the sums: the last use of these weights.
    std::size_t draw_nucleus(const Dice& dice, double p);

 private:
    std::uint64_t weigh_above(std::size_t i);
    std::size_t locate(std::uint64_t offset, std::size_t pivot, bool above_only) const;

    const Passes& passes_;
    std::size_t size_ = 0, blocks_ = 0;
    std::uint64_t total_ = 0;
    std::vector<std::uint32_t> weights_;
    std::vector<std::uint64_t> block_mass_;
};

}  // namespace edgeward::sampling
