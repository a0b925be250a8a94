// UTF-8 in and out. Knows: byte sequences and code points. Does not know: Unicode properties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace edgeward {

inline constexpr char32_t kReplacement = 0xFFFD;

// Bytes in the character that starts with `lead`; the text must be valid UTF-8.
inline size_t utf8_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xE0) return 2;
    return lead < 0xF0 ? 3 : 4;
}

inline bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

struct Decoded {
    char32_t code;
    uint32_t length;
};

// The character at `p`; the text must be valid UTF-8.
inline Decoded utf8_decode(const char* p) {
    const auto* s = reinterpret_cast<const unsigned char*>(p);
    const char32_t c = s[0];
    if (c < 0x80) return {c, 1};
    if (c < 0xE0) return {((c & 0x1F) << 6) | (s[1] & 0x3Fu), 2};
    if (c < 0xF0) return {((c & 0x0F) << 12) | ((s[1] & 0x3Fu) << 6) | (s[2] & 0x3Fu), 3};
    return {((c & 0x07) << 18) | ((s[1] & 0x3Fu) << 12) | ((s[2] & 0x3Fu) << 6) | (s[3] & 0x3Fu),
            4};
}

// Start of the character before `p`, which must lie behind `begin` in valid UTF-8.
inline const char* utf8_before(const char* p) {
    do {
        --p;
    } while (is_continuation(*p));
    return p;
}

// Appends a code point, which must be a scalar value.
void utf8_append(std::string& out, char32_t code);

// Length of the longest prefix that is valid UTF-8.
size_t utf8_valid_prefix(std::string_view bytes);

// `bytes` with every maximal ill-formed subsequence replaced by one U+FFFD, as the Unicode standard
// recommends (chapter 3.9) and as Python's errors="replace" and Rust's from_utf8_lossy do.
std::string utf8_lossy(std::string_view bytes);

// Length of the ASCII prefix.
size_t utf8_ascii_prefix(std::string_view bytes);

// Number of code points in valid UTF-8; of code points that start there, in a part of it.
inline size_t utf8_count(std::string_view text) {
    const char* p = text.data();
    size_t left = text.size();
    size_t continued = 0;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word;
        std::memcpy(&word, p, 8);
        // The low bit of each byte that is 10xxxxxx; the product adds them up.
        const uint64_t ones = (word >> 7) & (~word >> 6) & 0x0101010101010101u;
        continued += (ones * 0x0101010101010101u) >> 56;
    }
    for (; left > 0; ++p, --left) continued += is_continuation(*p);
    return text.size() - continued;
}

}  // namespace edgeward
