// XTC, "exclude top choices": now and then drops the tokens that are too good.
//
// Knows: the rule (p-e-w, text-generation-webui pull request 6335, as in llama.cpp). Does not know:
// logits. With the given probability, of all tokens that hold at least `threshold` of the mass only
// the least probable stays; with fewer than two such tokens nothing happens.
#pragma once

#include "sampling/draw.h"

namespace edgeward::sampling {

void exclude_top_choices(const Dice& dice, double probability, double threshold, Weights& weights);

}  // namespace edgeward::sampling
