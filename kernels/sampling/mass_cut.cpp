#include "sampling/mass_cut.h"

#include <algorithm>
#include <cmath>

namespace edgeward::sampling {

void MassCut::nucleus(double p, Weights& weights) {
    order_.clear();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        order_.push_back({-static_cast<double>(weights[i]), static_cast<std::uint32_t>(i)});
    }
    cut(p, weights);
}

// With t = scaled logit in powers of two, ln p(i) = ln 2 * t(i) - ln Z, so the entropy is
// ln Z - ln 2 * mean(t) and |-ln p(i) - entropy| = ln 2 * |t(i) - mean(t)|: the distance to the
// mean.
void MassCut::typical(const float* values, float highest, float scale, double p, Weights& weights) {
    order_.clear();
    double mean = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        const auto power = static_cast<double>((values[i] - highest) * scale);
        mean += static_cast<double>(weights[i]) * power;
        order_.push_back({power, static_cast<std::uint32_t>(i)});
    }
    mean /= static_cast<double>(weights.total());
    for (Ranked& ranked : order_) ranked.key = std::fabs(ranked.key - mean);
    cut(p, weights);
}

// Halves the part in which the cut lies until it is one token: all before `begin` is kept, all from
// `end` on is dropped.
void MassCut::cut(double p, Weights& weights) {
    std::uint64_t reached = share_of(weights.total(), p);
    auto begin = order_.begin(), end = order_.end();
    while (end - begin > 1) {
        const auto middle = begin + (end - begin) / 2;
        std::nth_element(begin, middle, end);
        std::uint64_t mass = 0;
        for (auto ranked = begin; ranked != middle; ++ranked) mass += weights[ranked->index];
        if (mass >= reached) {
            end = middle;
        } else {
            reached -= mass;
            begin = middle;
        }
    }
    for (auto ranked = end; ranked != order_.end(); ++ranked) weights.drop(ranked->index);
    weights.recount();
}

}  // namespace edgeward::sampling
