// The scanners behind find_pii: each is asked at one place and says how far a finding goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "safety/pii.h"

namespace edgeward::safety::pii {

struct Hit {
    Pii kind;
    size_t begin;
    size_t end;
};

inline bool digit(char c) { return c >= '0' && c <= '9'; }
inline bool upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool letter(char c) { return static_cast<unsigned char>((c | 32) - 'a') < 26; }
inline bool alnum(char c) { return letter(c) || digit(c); }
// Bytes of letters and digits that a word goes on with, in scripts of two bytes a character as
// well: those that come in addresses. Chinese, say, is written against a number without a space.
inline bool wordlike(char c) { return alnum(c) || (c & 0xC0) == 0x80 || (c & 0xE0) == 0xC0; }
// True if a character of a word ends at byte `i`.
inline bool word_before(std::string_view text, size_t i) {
    if (i == 0) return false;
    if ((text[i - 1] & 0xC0) != 0x80) return wordlike(text[i - 1]);
    return i > 1 && (text[i - 2] & 0xE0) == 0xC0;
}
inline char at(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

// True if one of `words`, in lower case and separated by "|", stands in the 40 bytes before `i`.
bool announced(std::string_view text, size_t i, std::string_view words);

// At '@': an e-mail address around it.
std::optional<Hit> email(std::string_view text, size_t i);
// At a digit, '+' or '(' where a number begins.
std::optional<Hit> numbers(std::string_view text, size_t i);
// At a letter or digit where a word begins.
std::optional<Hit> account(std::string_view text, size_t i);
std::optional<Hit> national(std::string_view text, size_t i);
std::optional<Hit> address(std::string_view text, size_t i);
// At a letter where a word begins; `no_end` remembers that no private key ends behind.
std::optional<Hit> key(std::string_view text, size_t i);
std::optional<Hit> private_key(std::string_view text, size_t i, bool& no_end);

}  // namespace edgeward::safety::pii
