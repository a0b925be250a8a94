#include "sampling/exclude.h"

#include <algorithm>

namespace edgeward::sampling {

void exclude_top_choices(const Dice& dice, double probability, double threshold, Weights& weights) {
    if (!excludes(dice.bits(0, Stream::kExclude), probability)) return;
    const std::uint64_t bar = std::max<std::uint64_t>(share_of(weights.total(), threshold), 1);
    if (bar > kUnitWeight) return;
    // At most 1/threshold tokens reach it; the last in rank is the lightest, of equal ones the
    // last.
    std::size_t last = weights.size();
    const auto find_last = [&](std::size_t i) {
        if (last == weights.size() || weights[i] <= weights[last]) last = i;
    };
    weights.for_each_from(static_cast<std::uint32_t>(bar), find_last);
    weights.for_each_from(static_cast<std::uint32_t>(bar), [&](std::size_t i) {
        if (i != last) weights.drop(i);
    });
    weights.recount();
}

}  // namespace edgeward::sampling
