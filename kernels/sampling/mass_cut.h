// Keeps the smallest set, in a given order, whose mass reaches a share of the whole.
//
// Knows: weights and a key by which they rank. Does not know: what the key means. Nothing is
// sorted: a few tokens taken evenly by mass guess the key at the cut, passes over all weights make
// sure of two neighbours of it, and only what lies between those two is ranked. The draws of top-p
// alone need no cut at all (Weights::draw_nucleus).
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/draw.h"

namespace edgeward::sampling {

class MassCut {
 public:
    explicit MassCut(const Passes& passes) : passes_(passes) {}

    // Top-p: the highest weights first.
    void nucleus(double p, Weights& weights);

    // Locally typical sampling (Meister et al., TACL 2023): the tokens first whose information is
    // closest to the expected one. `values` are those the weights were made of, with the same
    // `highest` and `scale`.
    void typical(const float* values, float highest, float scale, double p, Weights& weights);

 private:
    // A key of 32 bits, lowest first, above its index: ranked as one number.
    using Ranked = std::uint64_t;

    template <typename Order>
    void cut(const Order& order, double p, Weights& weights);
    template <typename Order>
    std::ptrdiff_t guess(const Order& order, double p, const Weights& weights);
    template <typename Order>
    void find_neighbours(const Order& order, double p, std::uint64_t reached, Weights& weights);
    void cut_between(std::uint64_t reached, Weights& weights);
    std::uint64_t cut_classes(std::uint32_t least, std::uint32_t most, std::uint64_t reached,
                              Weights& weights);
    void cut_edge(bool tied, std::uint64_t reached, Weights& weights);

    const Passes& passes_;
    std::vector<Ranked> between_;
    std::vector<std::uint32_t> ids_;
    std::vector<std::uint64_t> class_mass_;
    // Keys that rose to the cut: the mass up to keys_[below_] is too little, up to keys_[above_] it
    // is enough; below_ may be -1 and above_ one past the end.
    std::vector<std::uint32_t> keys_;
    std::ptrdiff_t below_ = -1, above_ = 0;
};

}  // namespace edgeward::sampling
