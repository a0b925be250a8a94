// The split pattern of GPT-2, by hand:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Knows: that one pattern, alone or behind Digits(individual_digits), which cuts every number out
// first. Linear, nothing behind the text is read.
#pragma once

#include <memory>

#include "tokenizer/cutter.h"

namespace edgeward {

std::unique_ptr<Cutter> make_gpt2_cutter(bool digits_apart);

}  // namespace edgeward
