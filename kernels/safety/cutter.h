// Cuts text into the words that the safety scorers read, a character at a time.
//
// Knows: which code points make a word, a sign or nothing, and how a word is folded. Does not know:
// what is done with the words. Text that went through the normalizer and text that did not are cut
// by the same rules; both are folded to lower case here, so that normalizing first never hurts.
//
// A word is letters and digits, folded to lower case; every digit is '0'; of a run of one character
// two are kept; apostrophes inside and combining marks vanish; after kMaxWord characters a new word
// starts. Scripts written without spaces, and emoji, make a word of each character. Any other
// visible character is a sign, a word of its own; a run of one sign counts once.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace edgeward::safety {

constexpr std::size_t kMaxWord = 20;

enum class CharKind : std::uint8_t { kSpace, kLetter, kAlone, kSign, kNothing };

CharKind char_kind(char32_t c);
// Lower case of the Latin, Greek and Cyrillic letters whose pairs lie at a fixed distance; digits
// become '0'.
char32_t fold_char(char32_t c);

struct Word {
    std::array<char32_t, kMaxWord> chars;
    std::uint8_t size = 0;
    bool sign = false;
};

// The cutter's memory between two characters: the word it is in and the sign it just saw.
class WordCutter {
 public:
    // Calls take(const Word&) for every word that ends at or with `c`.
    template <typename Take>
    void push(char32_t c, Take&& take) {
        const CharKind kind = char_kind(c);
        if (kind == CharKind::kNothing) return;
        if (kind == CharKind::kLetter) {
            last_sign_ = 0;
            add(fold_char(c), take);
            return;
        }
        if (is_apostrophe(c) && open_.size > 0) return;
        flush(take);
        if (kind == CharKind::kSpace) {
            last_sign_ = 0;
        } else if (kind == CharKind::kAlone || c != last_sign_) {
            last_sign_ = kind == CharKind::kSign ? c : 0;
            Word word;
            word.chars[0] = c;
            word.size = 1;
            word.sign = kind == CharKind::kSign;
            take(word);
        }
    }

    // Ends the word that is open, if one is.
    template <typename Take>
    void flush(Take&& take) {
        if (open_.size == 0) return;
        take(open_);
        open_.size = 0;
    }

    bool inside_word() const { return open_.size > 0; }

 private:
    static bool is_apostrophe(char32_t c) { return c == '\'' || c == 0x2019; }

    template <typename Take>
    void add(char32_t c, Take&& take) {
        const std::size_t n = open_.size;
        if (n >= 2 && open_.chars[n - 1] == c && open_.chars[n - 2] == c) return;
        if (n == kMaxWord) flush(take);
        open_.chars[open_.size++] = c;
    }

    Word open_;
    char32_t last_sign_ = 0;
};

}  // namespace edgeward::safety
