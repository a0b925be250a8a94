#include "sampling/mass_cut.h"

#include <algorithm>
#include <bit>

namespace edgeward::sampling {
namespace {

// Exponent and three bits behind it of a positive float: 2048 classes, in the order of the floats.
constexpr std::size_t kClasses = std::size_t{1} << 11;

std::size_t class_of_bits(std::uint32_t float_bits) { return float_bits >> 20; }

std::uint64_t ranked(std::uint32_t key, std::size_t index) {
    return std::uint64_t{key} << 32 | static_cast<std::uint32_t>(index);
}

std::size_t index_of(std::uint64_t ranked) { return static_cast<std::uint32_t>(ranked); }
std::uint32_t key_of(std::uint64_t ranked) { return static_cast<std::uint32_t>(ranked >> 32); }

}  // namespace

void MassCut::nucleus(double p, Weights& weights) {
    order_.resize(weights.size());
    Ranked* next = order_.data();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        *next = ranked(~weights[i], i);
        next += weights[i] != 0;
    }
    order_.resize(static_cast<std::size_t>(next - order_.data()));
    cut(p, weights, [](std::uint32_t key) {
        const auto weight = static_cast<float>(~key);
        return kClasses - 1 - class_of_bits(std::bit_cast<std::uint32_t>(weight));
    });
}

// With t = scaled logit in powers of two, ln p(i) = ln 2 * t(i) - ln Z, so the entropy is
// ln Z - ln 2 * mean(t) and |-ln p(i) - entropy| = ln 2 * |t(i) - mean(t)|: the distance to the
// mean.
void MassCut::typical(const float* values, float highest, float scale, double p, Weights& weights) {
    const std::size_t size = weights.size();
    powers_.resize(size);
    for (std::size_t i = 0; i < size; ++i) powers_[i] = (values[i] - highest) * scale;
    PowerSum sum;
    for (std::size_t i = 0; i < size; ++i) {
        if (weights[i] != 0) sum.add(weights[i], powers_[i]);
    }
    const double mean = sum.mean(weights.total());
    order_.resize(size);
    Ranked* next = order_.data();
    for (std::size_t i = 0; i < size; ++i) {
        *next = ranked(std::bit_cast<std::uint32_t>(untypicality(powers_[i], mean)), i);
        next += weights[i] != 0;
    }
    order_.resize(static_cast<std::size_t>(next - order_.data()));
    cut(p, weights, class_of_bits);
}

template <typename ClassOf>
void MassCut::cut(double p, Weights& weights, ClassOf class_of) {
    class_mass_.assign(kClasses, 0);
    for (const Ranked one : order_) class_mass_[class_of(key_of(one))] += weights[index_of(one)];
    std::uint64_t reached = share_of(weights.total(), p);
    std::size_t edge = 0;
    for (; class_mass_[edge] < reached; ++edge) reached -= class_mass_[edge];

    std::size_t count = 0;
    for (const Ranked one : order_) {
        const std::size_t own = class_of(key_of(one));
        if (own > edge) weights.drop(index_of(one));
        order_[count] = one;
        count += own == edge;
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
        for (auto one = begin; one != middle; ++one) mass += weights[index_of(*one)];
        if (mass >= reached) {
            end = middle;
        } else {
            reached -= mass;
            begin = middle;
        }
    }
    for (auto one = end; one != order_.end(); ++one) weights.drop(index_of(*one));
}

}  // namespace edgeward::sampling
