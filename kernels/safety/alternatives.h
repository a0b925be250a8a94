// What a text says besides what it reads: its decoded pieces, normalized, and theirs.
//
// Knows: how deep and how many. Does not know: encodings themselves, what is unsafe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "safety/decode.h"
#include "safety/normalize.h"
#include "tokenizer/span.h"

namespace edgeward::safety {

inline constexpr int kDecodeDepth = 2;           // encodings inside encodings
inline constexpr size_t kMostAlternatives = 32;  // further pieces go into the last, a line each

struct Alternative {
    std::string text;  // normalized
    Encoding encoding;
    Span span;  // characters of the original text
};

// Of `text`, which must be valid UTF-8. No piece is longer than what it was decoded from,
// so all of them together are at most a small multiple of the text.
std::vector<Alternative> alternatives(std::string_view text);

}  // namespace edgeward::safety
