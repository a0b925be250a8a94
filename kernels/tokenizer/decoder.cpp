#include "tokenizer/decoder.h"

#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/options.h"

namespace edgeward {

Decoder::Decoder(const json::Value& value) {
    if (value.is_null()) return;
    const std::string type(Options(value, "decoder").text("type"));
    if (type != "ByteLevel") {
        throw std::invalid_argument("decoder \"" + type +
                                    "\" is not supported; supported: ByteLevel");
    }
    kind_ = Kind::kByteLevel;
}

std::string Decoder::bytes_of(std::string_view token) const {
    if (kind_ == Kind::kByteLevel) {
        // A token with a character outside the alphabet (an added one) stands for itself.
        if (auto bytes = byte_level_decode(token)) return *std::move(bytes);
    }
    return std::string(token);
}

}  // namespace edgeward
