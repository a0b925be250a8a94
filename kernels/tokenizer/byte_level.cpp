#include "tokenizer/byte_level.h"

#include <array>

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

size_t byte_level_decode(std::string_view token, char* bytes) {
    char* out = bytes;
    for (size_t i = 0; i < token.size();) {
        const auto lead = static_cast<unsigned char>(token[i]);
        uint32_t code = lead;
        ++i;
        if (lead >= 0x80) {
            // Leads above 0xC5 stand for characters behind the alphabet.
            if (lead < 0xC2 || lead > 0xC5 || i == token.size()) return kNotByteLevel;
            code = (lead & 0x1Fu) << 6 | (static_cast<unsigned char>(token[i]) & 0x3Fu);
            ++i;
        }
        if (code >= kAlphabet || kTable.byte_of[code] < 0) return kNotByteLevel;
        *out++ = static_cast<char>(kTable.byte_of[code]);
    }
    return static_cast<size_t>(out - bytes);
}

std::optional<std::string> byte_level_decode(std::string_view token) {
    std::string bytes(token.size(), '\0');
    const size_t size = byte_level_decode(token, bytes.data());
    if (size == kNotByteLevel) return std::nullopt;
    bytes.resize(size);
    return bytes;
}

}  // namespace edgeward
