// The split pattern of GPT-2, by hand:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Knows: that one pattern, with Oniguruma's classes. Linear, nothing behind the text is read.
#pragma once

#include "tokenizer/split.h"

namespace edgeward {

// Appends the pieces of `text`; they cover it.
void scan_gpt2(std::string_view text, std::vector<Span>& out);

}  // namespace edgeward
