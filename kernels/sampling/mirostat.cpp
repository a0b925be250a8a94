#include "sampling/mirostat.h"

#include <algorithm>
#include <cmath>

namespace edgeward::sampling {

std::uint32_t Mirostat::bar(const Weights& weights) const {
    const double least = std::ceil(static_cast<double>(weights.total()) * std::exp2(-mu_));
    return static_cast<std::uint32_t>(std::clamp(least, 1.0, static_cast<double>(kUnitWeight)));
}

std::size_t Mirostat::draw(const Dice& dice, Weights& weights) {
    std::uint64_t mass = 0;
    const std::size_t chosen = weights.draw_from(dice, bar(weights), mass);
    // In the distribution that was drawn from, as llama.cpp measures it.
    surprise_ = std::log2(static_cast<double>(mass)) - std::log2(weights[chosen]);
    drawn_ = true;
    return chosen;
}

void Mirostat::learn() {
    if (!drawn_) return;
    mu_ -= eta_ * (surprise_ - tau_);
    drawn_ = false;
}

}  // namespace edgeward::sampling
