// Encoded pieces of a text: base64, hexadecimal, percent signs, rot13, invisible tag characters.
//
// Knows: how each encoding looks and when what comes out is text. Does not know: normalization,
// what is unsafe. Linear in the text: nothing that comes out is longer than what went in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/span.h"

namespace edgeward::safety {

enum class Encoding : uint8_t { kBase64, kHex, kPercent, kRot13, kTags };

const char* name_of(Encoding encoding);

struct DecodedPiece {
    Encoding encoding;
    Span span;  // bytes of the text that it was decoded from
    std::string text;
};

inline constexpr size_t kEncodedLeast = 16;  // characters of base64 or hexadecimal digits

// What can be read in `text`, which must be valid UTF-8, by kind and place. Only what decodes to
// printable text counts; rot13 only where the result has words that the text has not.
std::vector<DecodedPiece> decode(std::string_view text);

}  // namespace edgeward::safety
