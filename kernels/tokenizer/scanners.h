// Scanners: characters of a class, a fixed string, or one of the known split patterns.
//
// Knows: which regular expressions have a hand-built scanner; there is no regex engine here.
#pragma once

#include <memory>

#include "tokenizer/json.h"
#include "tokenizer/split.h"

namespace edgeward {

enum class CharTest { kNumeric, kPunctuation, kSpace };

// Each character of the class is a match of its own.
std::unique_ptr<Scanner> make_class_scanner(CharTest test);

// For the "pattern" of a Split: {"String": s} or {"Regex": r}. Throws std::invalid_argument for an
// expression without a scanner.
std::unique_ptr<Scanner> make_scanner(const json::Value& pattern);

}  // namespace edgeward
