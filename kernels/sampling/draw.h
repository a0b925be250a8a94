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
    std::uint64_t bits(std::uint32_t attempt, Stream stream = Stream::kToken) const {
        return random_bits(seed, position, attempt, stream);
    }
};

class Weights {
 public:
    explicit Weights(const Passes& passes) : passes_(passes) {}

    // Weighs n values: see Passes::weigh.
    void reset(const float* values, std::size_t n, float highest, float scale, float floor);

    std::uint64_t total() const { return total_; }
    std::uint32_t operator[](std::size_t i) const { return weights_[i]; }
    std::size_t size() const { return size_; }
    const std::uint32_t* data() const { return weights_.data(); }
    // Sets a weight to zero, at least one must stay; then recount() makes the sums right again.
    void drop(std::size_t i) { weights_[i] = 0; }
    void recount();
    // Sets a weight to zero where the sums are right, and keeps them right.
    void take_out(std::size_t i) {
        total_ -= weights_[i];
        block_mass_[i / kBlock] -= weights_[i];
        weights_[i] = 0;
    }

    // See Passes::power_sum.
    PowerSum power_sum(const float* values, float highest, float scale) const {
        return passes_.power_sum(values, size_, highest, scale, weights_.data(),
                                 block_mass_.data());
    }

    // Lets a pass of Passes::Narrow change the weights and their sums.
    template <typename Change>
    Between narrow(Change change) {
        const Between found = change(weights_.data(), block_mass_.data());
        total_ = 0;
        for (std::size_t block = 0; block < blocks_; ++block) total_ += block_mass_[block];
        return found;
    }

    // Calls each(i) for the `count` indices under evenly spaced offsets, the weights being laid end
    // to end: an index holds as many of them as it holds of the mass.
    template <typename Each>
    void for_each_evenly(std::size_t count, Each each) const {
        std::uint64_t before = 0, sum = 0;  // of all blocks before `block`, of all before i
        std::size_t block = 0, i = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const std::uint64_t offset = (2 * k + 1) * total_ / (2 * count);
            if (offset - before >= block_mass_[block]) {
                do before += block_mass_[block++];
                while (offset - before >= block_mass_[block]);
                sum = before;
                i = block * kBlock;
            }
            for (; offset - sum >= weights_[i]; ++i) sum += weights_[i];
            each(i);
        }
    }

    // Calls each(i) for every weight >= bar > 0, by index, and returns what they weigh together.
    // Spoils the sums.
    template <typename Each>
    std::uint64_t for_each_from(std::uint32_t bar, Each each) {
        const std::uint64_t mass = weigh_from(bar);
        for (std::size_t block = 0; block < blocks_; ++block) {
            if (block_mass_[block] == 0) continue;
            for (std::size_t i = block * kBlock; i < (block + 1) * kBlock; ++i) {
                if (weights_[i] >= bar) each(i);
            }
        }
        return mass;
    }

    std::size_t draw(const Dice& dice) const;

    // Draws from the weights >= bar > 0, of which there must be one. Spoils the sums.
    std::size_t draw_from(const Dice& dice, std::uint32_t bar, std::uint64_t& mass);

    // Draws from all, and draws again from what ranks above the loser as long as the draw falls
    // outside the nucleus: the same distribution as cutting first, without finding the cut. About
    // 1/p attempts, each one pass over the weights. Spoils the sums.
    std::size_t draw_nucleus(const Dice& dice, double p);

 private:
    std::uint64_t weigh_from(std::uint32_t bar);
    std::uint64_t weigh_above(std::size_t i);
    std::size_t locate(std::uint64_t offset, std::uint32_t above, std::size_t ties_before) const;

    const Passes& passes_;
    std::size_t size_ = 0, blocks_ = 0;
    std::uint64_t total_ = 0;
    std::vector<std::uint32_t> weights_;
    std::vector<std::uint64_t> block_mass_;
};

}  // namespace edgeward::sampling
