// Which split patterns have a hand-built cutter.
//
// Knows: the words in which files write them. Does not know: how they are cut.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "tokenizer/cutter.h"

namespace edgeward {

// How stages other than a Split of a regular expression are named here.
inline constexpr std::string_view kGpt2Stage = "ByteLevel";    // its regular expression
inline constexpr std::string_view kEachDigitStage = "Digits";  // individual_digits

// The cutter that does what stages that isolate their matches do one after the other, or null.
// Each is one of the names above or a regular expression.
std::unique_ptr<Cutter> known_cutter(std::span<const std::string_view> stages);

// True if every text is covered by the matches of this expression, as far as is known: then it is
// the same to isolate matches and to drop the gaps between them.
bool covers_all(std::string_view regex);

}  // namespace edgeward
