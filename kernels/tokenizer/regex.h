// Regular expressions of tokenizer files as deterministic automata: linear in every match, no
// backtracking, no recursion over the text.
//
// Knows: the part of Oniguruma's (Ruby) syntax that split patterns use: literals, classes with
// ranges, \p{..}, negation, nesting and &&, groups, (?i:..) over ASCII, alternation, greedy and
// lazy quantifiers, lookahead of one character. Alternatives are tried in order, as a backtracking
// engine does. Everything else is refused when the expression is compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/char_set.h"
#include "tokenizer/split.h"

namespace edgeward {

namespace regex {

// One step of the program that the automaton is made of. Order of alternatives is preference.
struct Instruction {
    enum Op : uint8_t { kChar, kSplit, kJump, kNext, kNotNext, kMatch };
    Op op;
    uint32_t a = 0;  // kChar, kNext, kNotNext: number of the set; kSplit: preferred; kJump: target
    uint32_t b = 0;  // kSplit: the other
};

struct Program {
    std::vector<Instruction> code;
    std::vector<CharSet> sets;
};

// Throws std::invalid_argument naming what is not supported and where it stands.
Program compile(std::string_view pattern);

}  // namespace regex

class RegexScanner final : public Scanner {
 public:
    // Throws std::invalid_argument if the pattern is not supported, may match nothing at all, or
    // needs too many states.
    explicit RegexScanner(std::string_view pattern);

    void find(std::string_view text, std::vector<Span>& matches) const override;

    size_t states() const { return table_.size() / columns_; }

 private:
    using Cell =
        uint16_t;  // next state, 0 for none; the top bit: a match ends before this character
    static constexpr Cell kMatchBit = 0x8000;

    void classify(const regex::Program& program);
    void build(const regex::Program& program);
    uint8_t class_of(char32_t c) const { return blocks_[stage_[c >> 8] * 256u + (c & 255)]; }
    const char* match(const char* begin, const char* end) const;

    std::vector<uint8_t> stage_;              // code point / 256 -> block
    std::vector<uint8_t> blocks_;             // classes of 256 code points each
    std::vector<std::vector<bool>> members_;  // by class: which sets hold it
    size_t columns_ = 0;                      // classes and, last, the end of the text
    std::vector<Cell> table_;                 // state 1 is the start
};

}  // namespace edgeward
