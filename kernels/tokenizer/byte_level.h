// GPT-2's printable alphabet: one character for each of the 256 bytes.
//
// Knows: the bijection. The 188 printable bytes of Latin-1 stand for themselves, the others for
// U+0100 onwards in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgeward {

// The character that stands for `byte`, as UTF-8 of one or two bytes.
std::string_view byte_level_char(unsigned char byte);

inline constexpr size_t kNotByteLevel = SIZE_MAX;

// Writes the bytes that `token` (valid UTF-8) spells to `bytes`, which has room for token.size(),
// and returns their number; kNotByteLevel if a character is outside the alphabet.
size_t byte_level_decode(std::string_view token, char* bytes);

// The same as a string, or nothing.
std::optional<std::string> byte_level_decode(std::string_view token);

}  // namespace edgeward
