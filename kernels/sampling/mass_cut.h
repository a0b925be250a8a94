// Keeps the smallest set, in a given order, whose mass reaches a share of the whole.
//
// Knows: weights and a key by which they rank. Does not know: what the key means. Nothing is
// sorted: masses are added up in classes of the key, and only the class in which the cut lies is
// taken apart. The draws of top-p alone need no cut at all (Weights::draw_nucleus).
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/draw.h"

namespace edgeward::sampling {

class MassCut {
 public:
    // Top-p: the highest weights first.
    void nucleus(double p, Weights& weights);

    // Locally typical sampling (Meister et al., TACL 2023): the tokens first whose information is
    // closest to the expected one. `values` are those the weights were made of, with the same
    // `highest` and `scale`.
    void typical(const float* values, float highest, float scale, double p, Weights& weights);

 private:
    // A key of 32 bits, lowest first, above its index: ranked as one number.
    using Ranked = std::uint64_t;

    // class_of(key) must not fall as the key rises.
    template <typename ClassOf>
    void cut(double p, Weights& weights, ClassOf class_of);
    void cut_edge(std::uint64_t reached, Weights& weights);

    std::vector<Ranked> order_;
    std::vector<float> powers_;
    std::vector<std::uint64_t> class_mass_;
};

}  // namespace edgeward::sampling
