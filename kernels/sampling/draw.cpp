#include "sampling/draw.h"

namespace edgeward::sampling {

void Weights::reset(const float* values, std::size_t n, float highest, float scale, float floor) {
    size_ = n;
    blocks_ = blocks_of(n);
    if (weights_.size() < padded(n)) {
        weights_.resize(padded(n));
        block_mass_.resize(blocks_);
    }
    total_ = passes_.weigh(values, n, highest, scale, floor, weights_.data(), block_mass_.data());
}

void Weights::recount() {
    total_ = passes_.mass_above(weights_.data(), blocks_, -1, block_mass_.data());
}

// The index under `offset` when the weights that count are laid end to end by index: those > above,
// and those equal to it before the index ties_before. Needs offset < the sum of block_mass_.
std::size_t Weights::locate(std::uint64_t offset, std::uint32_t above,
                            std::size_t ties_before) const {
    std::size_t block = 0;
    for (; offset >= block_mass_[block]; ++block) offset -= block_mass_[block];
    for (std::size_t i = block * kBlock;; ++i) {
        const std::uint32_t weight = weights_[i];
        if (weight < above || (weight == above && i >= ties_before)) continue;
        if (offset < weight) return i;
        offset -= weight;
    }
}

std::uint64_t Weights::weigh_from(std::uint32_t bar) {
    return passes_.mass_above(weights_.data(), blocks_, static_cast<std::int32_t>(bar) - 1,
                              block_mass_.data());
}

// The sum of all that ranks above index i, by block. Before i an equal weight ranks above it.
std::uint64_t Weights::weigh_above(std::size_t i) {
    const auto bar = static_cast<std::int32_t>(weights_[i]);
    const std::size_t block = i / kBlock, next = block + 1;
    std::uint64_t sum = passes_.mass_above(weights_.data(), block, bar - 1, block_mass_.data()) +
                        passes_.mass_above(weights_.data() + next * kBlock, blocks_ - next, bar,
                                           block_mass_.data() + next);
    std::uint64_t here = 0;
    for (std::size_t j = block * kBlock; j < next * kBlock; ++j) {
        const std::uint32_t weight = weights_[j];
        here += weight > weights_[i] || (weight == weights_[i] && j < i) ? weight : 0;
    }
    block_mass_[block] = here;
    return sum + here;
}

std::size_t Weights::draw(const Dice& dice) const {
    return locate(below(dice.bits(0), total_), 0, 0);
}

std::size_t Weights::draw_from(const Dice& dice, std::uint32_t bar, std::uint64_t& mass) {
    mass = weigh_from(bar);
    return locate(below(dice.bits(0), mass), bar - 1, 0);
}

std::size_t Weights::draw_nucleus(const Dice& dice, double p) {
    const std::uint64_t reached = share_of(total_, p);
    std::size_t chosen = draw(dice);
    for (std::uint32_t attempt = 1;; ++attempt) {
        const std::uint64_t above = weigh_above(chosen);
        if (above < reached) return chosen;
        chosen = locate(below(dice.bits(attempt), above), weights_[chosen], chosen);
    }
}

}  // namespace edgeward::sampling
