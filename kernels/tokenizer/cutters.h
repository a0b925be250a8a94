// Small pre-tokenizers: each is a function from a text to the parts it is cut into.
//
// Knows: Whitespace, UnicodeScripts, FixedLength. Does not know: offsets, pieces.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/span.h"

namespace edgeward {

// Runs of word characters, and runs of what is neither a word character nor white space:
// \w+|[^\w\s]+ of the regex crate.
void cut_words(std::string_view text, std::vector<Span>& out);

// Whether there is another run of characters that are no white space from `at` on, and which.
bool next_word(std::string_view text, uint32_t at, Span& word);
// All of them: WhitespaceSplit.
void cut_blanks(std::string_view text, std::vector<Span>& out);

// Runs of one script. Japanese is one script, a space goes with any. Characters of no script go
// with those before them; at the start of a text, which has none before, the reference drops them.
void cut_scripts(std::string_view text, std::vector<Span>& out);

// Pieces of `length` characters, the last may be shorter. `length` is not 0.
void cut_fixed(std::string_view text, uint32_t length, std::vector<Span>& out);

}  // namespace edgeward
