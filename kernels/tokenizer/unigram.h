// The Unigram model (Kudo 2018): the pieces of a word with the highest sum of scores.
#pragma once

#include <memory>

#include "tokenizer/model.h"

namespace edgeward {

// Throws std::invalid_argument naming the member that is missing or damaged.
std::unique_ptr<Model> make_unigram(const json::Value& model);

}  // namespace edgeward
