// Mirostat 2.0: keeps the surprise of the text near a target by moving one cut.
//
// Knows: Basu et al., "Mirostat" (ICLR 2021), version 2 as in llama.cpp. Does not know: logits. The
// only sampler with a memory besides the history: mu, the largest surprise a token may have.
#pragma once

#include <cstdint>

#include "sampling/draw.h"

namespace edgeward::sampling {

class Mirostat {
 public:
    // tau: target surprise in bits; eta: share of the error that is corrected in a step.
    Mirostat(double tau, double eta) : tau_(tau), eta_(eta), mu_(2 * tau) {}

    bool on() const { return tau_ > 0; }

    // The least weight that may be drawn: that of surprise mu, or that of the best token.
    std::uint32_t bar(const Weights& weights) const;

    // 2^-mu.
    double share() const;

    // Draws among the tokens whose surprise is at most mu; the best one always may be drawn.
    std::size_t draw(const Dice& dice, Weights& weights);

    // What a draw that was made elsewhere came out as: the mass it was made from, and its weight.
    void drew(std::uint64_t mass, std::uint32_t weight);

    // Moves mu by the surprise of the last draw. Does nothing when there was none since the last.
    void learn();

 private:
    double tau_, eta_, mu_;
    double surprise_ = 0;
    bool drawn_ = false;
};

}  // namespace edgeward::sampling
