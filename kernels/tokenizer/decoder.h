// The decoders of a tokenizer.json: token strings back to text.
//
// Knows: the "decoder" member. Does not know: ids, special tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json.h"

namespace edgeward {

class Decoder {
 public:
    Decoder() = default;
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit Decoder(const json::Value& value);

    // The bytes a token adds to the text. What they make together need not be valid UTF-8; a text
    // is their concatenation with every ill-formed sequence replaced by U+FFFD.
    std::string bytes_of(std::string_view token) const;
    // What stands between two tokens.
    std::string_view separator() const { return kind_ == Kind::kJoin ? " " : ""; }

 private:
    enum class Kind { kJoin, kByteLevel };
    Kind kind_ = Kind::kJoin;
};

}  // namespace edgeward
