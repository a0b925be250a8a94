// Scanners: characters of a class, a fixed string, or a regular expression.
//
// Knows: what a "pattern" may be. Does not know: the hand-built cutters (known_splits.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/json.h"
#include "tokenizer/split.h"

namespace edgeward {

enum class CharTest { kNumeric, kPunctuation, kSpace };

// Each character of the class is a match of its own.
std::unique_ptr<Scanner> make_class_scanner(CharTest test);

// Each occurrence of `needle`.
std::unique_ptr<Scanner> make_string_scanner(std::string needle);

std::unique_ptr<Scanner> make_regex_scanner(std::string_view regex);

// The expression of a "pattern" that is one, for those who know it by other means.
std::optional<std::string_view> regex_of(const json::Value& pattern);

// For the "pattern" of a Split: {"String": s} or {"Regex": r}. Throws std::invalid_argument for an
// expression that is not supported.
std::unique_ptr<Scanner> make_scanner(const json::Value& pattern);

}  // namespace edgeward
