<<<<<<< HEAD
// Words as they are meant: look-alike letters and digits in the place of letters read as Latin.
//
// Knows: one word at a time and the script of the word before it. Does not know: where words end.
#pragma once

#include <span>
#include <vector>

#include "safety/characters.h"

namespace edgeward::safety {

enum class Script : uint8_t { kUnknown, kLatin, kOther };

// A digit or sign that may stand for a letter inside a word, such as 3 for e; 0 if it never does.
char leet_letter(char32_t code);

// Rewrites `word` in place; `before` is the script of the words so far, and is brought up to date.
//
// Look-alikes of other scripts become Latin in a word that has Latin letters, too, and none that
// only the other script has; and in a word of nothing but exact look-alikes that follows a Latin
// word. So Russian and Greek stay what they are. Digits and signs become letters only where at
// least as many letters are left in the word, and one of them stands between two letters (h3llo)
// or one digit stands before four (1gnore): mp3, covid19 and 5th stay.
void rewrite_word(std::vector<Unit>& word, Script& before);
=======
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
>>>>>>> 0f3f27a (Score texts for toxicity and jailbreaks: features, linear scorer, encoder, model file)

}  // namespace edgeward::safety
