// The split patterns of cl100k, o200k, Llama 3, Qwen and Tekken, by hand. They are one pattern with
// a few switches:
//   CONTRACTION | [^\r\n\p{L}\p{N}]?WORD | DIGITS | ?[^\s\p{L}\p{N}]+TAIL | \s*[\r\n]+ |
//   \s+(?!\S) | \s+
//
// Knows: those patterns. Linear, nothing behind the text is read.
#pragma once

#include <memory>

#include "tokenizer/cutter.h"

namespace edgeward {

struct WordRules {
    // Where (?i:'s|'t|'re|'ve|'m|'ll|'d) may stand: as a piece of its own, or behind a word.
    enum Contractions { kNone, kAlone, kBehind };

    Contractions contractions = kNone;
    bool cased = false;       // two kinds of words, as in o200k: aB is two
    bool marks_join = false;  // WORD is [\p{L}\p{M}]+, and marks are no punctuation
    unsigned digits = 3;      // DIGITS has at most so many: 1 or 3
    bool slash_tail = false;  // TAIL is [\r\n/]*, not [\r\n]*
};

std::unique_ptr<Cutter> make_word_cutter(const WordRules& rules);

}  // namespace edgeward
