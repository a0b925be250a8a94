#include "sampling/mirostat.h"

#include <cmath>

namespace edgeward::sampling {

std::uint32_t Mirostat::bar(const Weights& weights) const {
    return surprise_bar(weights.total(), share());
}

std::size_t Mirostat::draw(const Dice& dice, Weights& weights) {
    std::uint64_t mass = 0;
    const std::size_t chosen = weights.draw_from(dice, bar(weights), mass);
    drew(mass, weights[chosen]);
    return chosen;
}

double Mirostat::share() const { return std::exp2(-mu_); }

// In the distribution that was drawn from, as llama.cpp measures it.
void Mirostat::drew(std::uint64_t mass, std::uint32_t weight) {
    surprise_ = std::log2(static_cast<double>(mass)) - std::log2(weight);
    drawn_ = true;
}

void Mirostat::learn() {
    if (!drawn_) return;
    mu_ -= eta_ * (surprise_ - tau_);
    drawn_ = false;
}

}  // namespace edgeward::sampling
