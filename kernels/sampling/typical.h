// Locally typical sampling: keeps the tokens whose information is closest to the expected one.
//
// Knows: Meister et al., "Locally typical sampling" (TACL 2023). Does not know: what is drawn
// later.
#pragma once

#include <cstdint>
#include <vector>

#include "sampling/draw.h"

namespace edgeward::sampling {

class TypicalCut {
 public:
    // Zeroes the weights outside the smallest set of the most typical that reaches p of the whole.
    // `values` are those the weights were made of, with the same `highest` and `scale`.
    void apply(const float* values, float highest, float scale, double p, Weights& weights);

 private:
    struct Distance {
        double distance;
        std::uint32_t index;
        bool operator<(const Distance& other) const {
            return distance != other.distance ? distance < other.distance : index < other.index;
        }
    };
    std::vector<Distance> order_;
};

}  // namespace edgeward::sampling
