#include "sampling/typical.h"

#include <algorithm>
#include <cmath>

namespace edgeward::sampling {

// With t = scaled logit in powers of two, ln p(i) = ln 2 * t(i) - ln Z, so the entropy is
// ln Z - ln 2 * mean(t) and |-ln p(i) - entropy| = ln 2 * |t(i) - mean(t)|: the distance to the
// mean.
void TypicalCut::apply(const float* values, float highest, float scale, double p,
                       Weights& weights) {
    const auto power = [&](std::size_t i) {
        return static_cast<double>((values[i] - highest) * scale);
    };
    order_.clear();
    double mean = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        mean += static_cast<double>(weights[i]) * power(i);
        order_.push_back({0, static_cast<std::uint32_t>(i)});
    }
    mean /= static_cast<double>(weights.total());
    for (Distance& d : order_) d.distance = std::fabs(power(d.index) - mean);

    // Selection by mass: halve the part in which the cut lies until it is one token. Everything
    // before `begin` is kept and weighs `kept`; everything from `end` on is dropped.
    auto reached = static_cast<std::uint64_t>(std::ceil(p * static_cast<double>(weights.total())));
    auto begin = order_.begin(), end = order_.end();
    while (end - begin > 1) {
        const auto middle = begin + (end - begin) / 2;
        std::nth_element(begin, middle, end);
        std::uint64_t mass = 0;
        for (auto d = begin; d != middle; ++d) mass += weights[d->index];
        if (mass >= reached) {
            end = middle;
        } else {
            reached -= mass;
            begin = middle;
        }
    }
    for (auto d = end; d != order_.end(); ++d) weights.drop(d->index);
    weights.recount();
}

}  // namespace edgeward::sampling
