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

// What the words so far tell about the next one.
struct Before {
    Script script = Script::kUnknown;
    bool leet = false;  // the last word that could be written so was
};

// Rewrites `word` in place; `before` is brought up to date.
//
// Look-alikes of other scripts become Latin in a word that has Latin letters, too, and none that
// only the other script has; and in a word of nothing but exact look-alikes that follows a Latin
// word. So Russian and Greek stay what they are. Digits and signs become letters where some stand
// between two letters (h3llo) or one digit stands before four letters (1gnore), and at least one
// letter is left for two of them: mp3, covid19 and 5th stay. Behind a word that was read so, one
// letter is enough (1gn0r3 4ll).
void rewrite_word(std::vector<Unit>& word, Before& before);

// The same for a word of so many plain letters a to z, which stays as it is.
void note_plain(size_t letters, Before& before);

}  // namespace edgeward::safety
