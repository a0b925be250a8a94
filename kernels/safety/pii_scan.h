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
// Letters and digits of any script: what a word goes on with.
inline bool wordlike(char c) { return alnum(c) || static_cast<unsigned char>(c) >= 0x80; }
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
