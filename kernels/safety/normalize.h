// Text as a safety check reads it: one spelling for the many ways to write the same words.
//
// Knows: characters, words, spaced-out letters, repeats, white space; the way back to the original
// characters. Does not know: encodings (decode.h), what is unsafe. Time is linear in the text and
// state is bounded, so a text that comes in parts is normalized exactly as the whole of it.
//
//   NFKC, lower case; accents of Latin letters and decorating marks dropped; characters that show
//   nothing dropped; look-alikes and leetspeak read as Latin inside words (words.h); four or more
//   single letters with the same separator between them joined, and behind them two; a character
//   that comes more than twice in a row kept twice (digits all); a run of white space one space, or
//   one line break if one is in it. A word is cut at 256 characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "safety/characters.h"
#include "safety/words.h"

namespace edgeward::safety {

// Normalized text; `origins[i]`, where traced, is the index of the original character that byte i
// came from. It never decreases, and has one more entry: the number of original characters.
struct Text {
    std::string bytes;
    std::vector<uint32_t> origins;
};

class Normalizer {
 public:
    static constexpr size_t kWordLimit = 256;
    static constexpr size_t kSpacedLetters = 4;
    static constexpr size_t kSpacedNext = 2;  // right behind others that were joined

    explicit Normalizer(bool traced = false) : traced_(traced) {}

    // Appends to `out` what is final after `text`, which must be valid UTF-8. Origins count on from
    // the texts before it.
    void push(std::string_view text, Text& out);
    // Appends the rest; the normalizer may be used for a new text after it.
    void finish(Text& out);
    // Original characters taken so far.
    uint32_t taken() const { return taken_; }
    // The first of them that has not become text yet.
    uint32_t pending() const;

 private:
    void character(Unit unit, Text& out);
    void end_word(Text& out);
    void word_or_letter(Text& out);
    void delimiter(Unit unit, Text& out);
    void end_spaced(Text& out);
    void emit(Unit unit, Text& out);
    void write(Unit unit, Text& out);
    size_t plain_run(std::string_view text, size_t at, Text& out);
    bool idle() const { return folder_.idle() && word_.empty() && spaced_.empty(); }

    Folder folder_;
    std::vector<Unit> word_;    // the word being read
    std::vector<Unit> spaced_;  // single letters, with separators until they are enough to join
    Before before_;
    size_t spaced_letters_ = 0;
    size_t least_ = kSpacedLetters;  // letters that are enough
    Unit separator_{};               // the separator of the run, once one is seen
    bool open_ = false;              // a separator came last
    Unit space_{};                   // white space not yet written
    char32_t last_ = 0;              // the last character written,
    uint32_t repeats_ = 0;           // and how often it came
    uint32_t taken_ = 0;
    bool traced_;
};

// The whole of `text`, which must be valid UTF-8 below 2^31 bytes.
Text normalize(std::string_view text, bool traced = true);

}  // namespace edgeward::safety
