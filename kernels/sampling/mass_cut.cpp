#include "sampling/mass_cut.h"

#include <algorithm>
#include <bit>

namespace edgeward::sampling {
namespace {

// Exponent and three bits behind it of the key as a float: 2048 classes, in the order of the keys.
constexpr std::size_t kClasses = std::size_t{1} << 11;

std::size_t class_of(double key) {
    return std::bit_cast<std::uint32_t>(static_cast<float>(key)) >> 20;
}

}  // namespace

void MassCut::nucleus(double p, Weights& weights) {
    order_.clear();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        order_.push_back({1.0 / weights[i], static_cast<std::uint32_t>(i)});
    }
    cut(p, weights);
}

// With t = scaled logit in powers of two, ln p(i) = ln 2 * t(i) - ln Z, so the entropy is
// ln Z - ln 2 * mean(t) and |-ln p(i) - entropy| = ln 2 * |t(i) - mean(t)|: the distance to the
// mean.
void MassCut::typical(const float* values, float highest, float scale, double p, Weights& weights) {
    order_.clear();
    PowerSum sum;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        const float power = (values[i] - highest) * scale;
        sum.add(weights[i], power);
        order_.push_back({power, static_cast<std::uint32_t>(i)});
    }
    const double mean = sum.mean(weights.total());
    for (Ranked& ranked : order_) {
        ranked.key = untypicality(static_cast<float>(ranked.key), mean);
    }
    cut(p, weights);
}

void MassCut::cut(double p, Weights& weights) {
    class_mass_.assign(kClasses, 0);
    for (const Ranked& ranked : order_) class_mass_[class_of(ranked.key)] += weights[ranked.index];
    std::uint64_t reached = share_of(weights.total(), p);
    std::size_t edge = 0;
    for (; class_mass_[edge] < reached; ++edge) reached -= class_mass_[edge];

    std::size_t count = 0;
    for (const Ranked& ranked : order_) {
        const std::size_t own = class_of(ranked.key);
        if (own > edge) weights.drop(ranked.index);
        if (own == edge) order_[count++] = ranked;
    }
    order_.resize(count);
    cut_edge(reached, weights);
    weights.recount();
}

// Halves the part in which the cut lies until it is one token: all before `begin` is kept, all from
// `end` on is dropped.
void MassCut::cut_edge(std::uint64_t reached, Weights& weights) {
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
}

}  // namespace edgeward::sampling
