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

}  // namespace edgeward::safety
