#include "sampling/mass_cut.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace edgeward::sampling {
namespace {

// Tokens taken evenly by mass, and as many evenly by number: between two neighbours lies about a
// 64th of the mass and of the tokens at most.
constexpr std::size_t kGuesses = 64;
// Below this, ranking all costs less than guessing.
constexpr std::size_t kFew = 512;
constexpr int kClassBits = 8;
constexpr std::size_t kClasses = std::size_t{1} << kClassBits;

std::uint64_t ranked(std::uint32_t key, std::size_t index) {
    return std::uint64_t{key} << 32 | static_cast<std::uint32_t>(index);
}
std::size_t index_of(std::uint64_t ranked) { return static_cast<std::uint32_t>(ranked); }
std::uint32_t key_of(std::uint64_t ranked) { return static_cast<std::uint32_t>(ranked >> 32); }

// Floats in the order of whole numbers, and back.
std::int64_t place_of(float value) {
    const auto bits = std::bit_cast<std::int32_t>(value);
    return bits >= 0 ? bits : -std::int64_t{bits & 0x7fffffff};
}
float at_place(std::int64_t place) {
    const auto size = static_cast<std::uint32_t>(place < 0 ? -place : place);
    return std::bit_cast<float>(place < 0 ? size | 0x80000000u : size);
}

// The least value from `low` to `high` that satisfies `holds`, which once true stays true; `high`
// is known to.
template <typename Holds>
float first_value(float low, float high, Holds holds) {
    std::int64_t a = place_of(low), b = place_of(high);
    while (a < b) {
        const std::int64_t middle = a + (b - a) / 2;
        if (holds(at_place(middle))) {
            b = middle;
        } else {
            a = middle + 1;
        }
    }
    return at_place(b);
}

// Top-p's order: lighter is later.
struct ByWeight {
    using Value = std::uint32_t;
    const Passes& passes;
    const Weights& weights;

    std::uint32_t key(std::size_t i) const { return ~weights[i]; }
    const std::uint32_t* line() const { return weights.data(); }
    Interval<Value> all() const { return {0, kUnitWeight}; }
    Interval<Value> none() const { return {1, 0}; }
    Interval<Value> up_to(std::uint32_t key) const { return {~key, kUnitWeight}; }
    auto mass_within() const { return passes.mass_within_weights; }
    auto narrow() const { return passes.narrow_weights; }
};

// Typical-p's order. With t = scaled logit in powers of two, ln p(i) = ln 2 * t(i) - ln Z, so the
// entropy is ln Z - ln 2 * mean(t) and |-ln p(i) - entropy| = ln 2 * |t(i) - mean(t)|: the distance
// to the mean. It falls and then rises with the logit, so those up to a distance are an interval
// of logits, and no pass needs to compute it.
struct ByTypicality {
    using Value = float;
    static constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Passes& passes;
    const float* values;
    float highest, scale;
    double mean;

    float power(float value) const { return (value - highest) * scale; }
    std::uint32_t key_at(float value) const {
        return std::bit_cast<std::uint32_t>(untypicality(power(value), mean));
    }
    std::uint32_t key(std::size_t i) const { return key_at(values[i]); }
    const float* line() const { return values; }
    Interval<Value> all() const { return {-kInfinity, kInfinity}; }
    Interval<Value> none() const { return {kInfinity, -kInfinity}; }
    Interval<Value> up_to(std::uint32_t key) const {
        const float low = first_value(-kInfinity, highest, [&](float x) {
            return static_cast<double>(power(x)) >= mean || key_at(x) <= key;
        });
        const float past = first_value(-kInfinity, kInfinity, [&](float x) {
            return x > highest || (static_cast<double>(power(x)) > mean && key_at(x) > key);
        });
        return {low, at_place(place_of(past) - 1)};
    }
    auto mass_within() const { return passes.mass_within_values; }
    auto narrow() const { return passes.narrow_values; }
};

}  // namespace

void MassCut::nucleus(double p, Weights& weights) { cut(ByWeight{passes_, weights}, p, weights); }

void MassCut::typical(const float* values, float highest, float scale, double p, Weights& weights) {
    const double mean = weights.power_sum(values, highest, scale).mean(weights.total());
    cut(ByTypicality{passes_, values, highest, scale, mean}, p, weights);
}

// The guesses in keys_; where p should be among them.
template <typename Order>
std::ptrdiff_t MassCut::guess(const Order& order, double p, const Weights& weights) {
    keys_.clear();
    if (weights.size() <= kFew) return 0;
    weights.for_each_evenly(kGuesses, [&](std::size_t i) { keys_.push_back(order.key(i)); });
    const auto place = static_cast<std::ptrdiff_t>(p * (kGuesses - 1));
    std::nth_element(keys_.begin(), keys_.begin() + place, keys_.end());
    const std::uint32_t likely = keys_[static_cast<std::size_t>(place)];
    const std::size_t stride = weights.size() / kGuesses;
    for (std::size_t i = stride / 2; i < weights.size(); i += stride) {
        if (weights[i] != 0) keys_.push_back(order.key(i));
    }
    std::ranges::sort(keys_);
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    return std::ranges::lower_bound(keys_, likely) - keys_.begin();
}

// Makes below_ and above_ neighbours: from the likely place in growing steps until the cut is
// passed, then by halves.
template <typename Order>
void MassCut::find_neighbours(const Order& order, double p, std::uint64_t reached,
                              Weights& weights) {
    std::ptrdiff_t at = guess(order, p, weights);
    const auto end = static_cast<std::ptrdiff_t>(keys_.size());
    below_ = -1;
    above_ = end;
    for (std::ptrdiff_t step = 3; above_ - below_ > 1; step *= 2) {
        at = std::clamp(at, below_ + 1, above_ - 1);
        const auto interval = order.up_to(keys_[static_cast<std::size_t>(at)]);
        const bool enough =
            order.mass_within()(order.line(), weights.data(), weights.size(), interval) >= reached;
        (enough ? above_ : below_) = at;
        const bool passed = below_ >= 0 && above_ < end;
        at = passed ? (below_ + above_) / 2 : enough ? at - step : at + step;
    }
}

template <typename Order>
void MassCut::cut(const Order& order, double p, Weights& weights) {
    const std::uint64_t reached = share_of(weights.total(), p);
    find_neighbours(order, p, reached, weights);
    const auto key_at = [&](std::ptrdiff_t i) { return keys_[static_cast<std::size_t>(i)]; };
    const bool bounded = above_ < static_cast<std::ptrdiff_t>(keys_.size());
    const auto outer = bounded ? order.up_to(key_at(above_)) : order.all();
    const auto inner = below_ >= 0 ? order.up_to(key_at(below_)) : order.none();
    if (ids_.size() < weights.size()) ids_.resize(weights.size());
    const auto narrow = order.narrow();
    // The keys are taken before anything is dropped: they may be the weights.
    const Between found = weights.narrow([&](std::uint32_t* own, std::uint64_t* block_mass) {
        return narrow(order.line(), weights.size(), outer, inner, own, block_mass, ids_.data());
    });
    between_.clear();
    for (std::size_t k = 0; k < found.count; ++k) {
        between_.push_back(ranked(order.key(ids_[k]), ids_[k]));
    }
    cut_between(reached - found.inner_mass, weights);
}

// Drops all of between_ that ranks behind what weighs `reached`.
void MassCut::cut_between(std::uint64_t reached, Weights& weights) {
    const auto by_key = [](Ranked a, Ranked b) { return key_of(a) < key_of(b); };
    const auto ends = std::minmax_element(between_.begin(), between_.end(), by_key);
    const std::uint32_t least = key_of(*ends.first), most = key_of(*ends.second);
    if (least != most && between_.size() > kClasses) {
        reached = cut_classes(least, most, reached, weights);
    }
    cut_edge(least == most, reached, weights);
}

// Leaves in between_ the class of keys in which the cut lies; what is still to be reached there.
std::uint64_t MassCut::cut_classes(std::uint32_t least, std::uint32_t most, std::uint64_t reached,
                                   Weights& weights) {
    const int shift = std::max(static_cast<int>(std::bit_width(most - least)) - kClassBits, 0);
    const auto class_of = [=](Ranked one) { return (key_of(one) - least) >> shift; };
    class_mass_.assign(kClasses, 0);
    for (const Ranked one : between_) class_mass_[class_of(one)] += weights[index_of(one)];
    std::size_t edge = 0;
    for (; class_mass_[edge] < reached; ++edge) reached -= class_mass_[edge];
    std::size_t count = 0;
    for (const Ranked one : between_) {
        const std::size_t own = class_of(one);
        if (own > edge) weights.take_out(index_of(one));
        between_[count] = one;
        count += own == edge;
    }
    between_.resize(count);
    return reached;
}

// Halves the part in which the cut lies until it is one token: all before `begin` is kept, all from
// `end` on is dropped. Tied tokens are in their order already, which is by index.
void MassCut::cut_edge(bool tied, std::uint64_t reached, Weights& weights) {
    auto begin = between_.begin(), end = between_.end();
    while (end - begin > 1) {
        const auto middle = begin + (end - begin) / 2;
        if (!tied) std::nth_element(begin, middle, end);
        std::uint64_t mass = 0;
        for (auto one = begin; one != middle; ++one) mass += weights[index_of(*one)];
        if (mass >= reached) {
            end = middle;
        } else {
            reached -= mass;
            begin = middle;
        }
    }
    for (auto one = end; one != between_.end(); ++one) weights.take_out(index_of(*one));
}

}  // namespace edgeward::sampling
