// Scanners: characters of a class, a fixed string, or a regular expression.
//
// Knows: which expressions have a hand-built scanner; the others become automata (regex.h).
#pragma once

#include <memory>
#include <string>

#include "tokenizer/json.h"
#include "tokenizer/split.h"

namespace edgeward {

enum class CharTest { kNumeric, kPunctuation, kSpace };

// Each character of the class is a match of its own.
std::unique_ptr<Scanner> make_class_scanner(CharTest test);

// Each occurrence of `needle`.
std::unique_ptr<Scanner> make_string_scanner(std::string needle);

// For the "pattern" of a Split: {"String": s} or {"Regex": r}. Throws std::invalid_argument for an
// expression that is not supported.
std::unique_ptr<Scanner> make_scanner(const json::Value& pattern);

}  // namespace edgeward
