#include "tokenizer/byte_level.h"

#include <array>

#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

constexpr int kAlphabet = 0x144;  // U+0143 is the last of the 68 stand-ins

constexpr bool stands_for_itself(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

struct Alphabet {
    std::array<std::array<char, 2>, 256> text{};
    std::array<uint8_t, 256> length{};
    std::array<int16_t, kAlphabet> byte_of{};

    constexpr Alphabet() {
        byte_of.fill(-1);
        int next = 0x100;
        for (int byte = 0; byte < 256; ++byte) {
            const int code = stands_for_itself(byte) ? byte : next++;
            const auto at = static_cast<size_t>(byte);
            byte_of[static_cast<size_t>(code)] = static_cast<int16_t>(byte);
            length[at] = code < 0x80 ? 1 : 2;
            if (code < 0x80) {
                text[at] = {static_cast<char>(code), 0};
            } else {
                text[at] = {static_cast<char>(0xC0 | (code >> 6)),
                            static_cast<char>(0x80 | (code & 0x3F))};
            }
        }
    }
};

constexpr Alphabet kTable;

}  // namespace

std::string_view byte_level_char(unsigned char byte) {
    return {kTable.text[byte].data(), kTable.length[byte]};
}

std::optional<std::string> byte_level_decode(std::string_view token) {
    std::string bytes;
    bytes.reserve(token.size());
    for (size_t i = 0; i < token.size();) {
        const Decoded c = utf8_decode(token.data() + i);
        if (c.code >= kAlphabet || kTable.byte_of[c.code] < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(kTable.byte_of[c.code]));
        i += c.length;
    }
    return bytes;
}

}  // namespace edgeward
