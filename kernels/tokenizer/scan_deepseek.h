// The three splits of DeepSeek-V3 and R1, by hand, one after the other in the file:
//   \p{N}{1,3}
//   [U+4E00-U+9FA5 U+3040-U+309F U+30A0-U+30FF]+
//   [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|
//   \s*[\r\n]+|\s+(?!\S)|\s+
//
// Knows: those three together; each sees only what the one before left in one piece. Linear.
#pragma once

#include <memory>

#include "tokenizer/cutter.h"

namespace edgeward {

std::unique_ptr<Cutter> make_deepseek_cutter();

}  // namespace edgeward
