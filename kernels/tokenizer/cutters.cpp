#include "tokenizer/cutters.h"

#include "tokenizer/run_table.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

constexpr ByteRun kScriptRuns[] = {
#include "tokenizer/script_tables.inc"
};

// The number of a script; kAny goes with all of them.
constexpr uint8_t kAny = 1;
uint8_t script(char32_t c) {
    static const RunTable table(kScriptRuns);
    return table[c];
}

}  // namespace

void cut_words(std::string_view text, std::vector<Span>& out) {
    const CharClasses& classes = CharClasses::get();
    constexpr uint16_t kNothing = 0;
    uint16_t last = kSpaceBit;  // kWordBit, kSpaceBit or kNothing
    for (uint32_t at = 0; at < text.size();) {
        const Decoded c = utf8_decode(text.data() + at);
        const uint16_t bits = classes.bits(c.code);
        const uint16_t kind = bits & kWordBit ? kWordBit : bits & kSpaceBit ? kSpaceBit : kNothing;
        if (kind == kSpaceBit) {
            // Ends what stood before.
        } else if (kind == last) {
            out.back().end += c.length;
        } else {
            out.push_back({at, at + c.length});
        }
        last = kind;
        at += c.length;
    }
}

bool next_word(std::string_view text, uint32_t at, Span& word) {
    const CharClasses& classes = CharClasses::get();
    const auto size = static_cast<uint32_t>(text.size());
    // The bytes of the character at `at` if it is white space (`blank`) or is not, else 0.
    const auto run = [&](bool blank) -> uint32_t {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x80) return (c == ' ' || (c >= '\t' && c <= '\r')) == blank;
        const Decoded decoded = utf8_decode(text.data() + at);
        return classes.space(decoded.code) == blank ? decoded.length : 0;
    };
    for (uint32_t n; at < size && (n = run(true)) != 0;) at += n;
    word.begin = at;
    for (uint32_t n; at < size && (n = run(false)) != 0;) at += n;
    word.end = at;
    return !word.empty();
}

void cut_blanks(std::string_view text, std::vector<Span>& out) {
    Span word;
    for (uint32_t at = 0; next_word(text, at, word); at = word.end) out.push_back(word);
}

void cut_scripts(std::string_view text, std::vector<Span>& out) {
    const size_t first = out.size();
    uint8_t last = 0;
    for (uint32_t at = 0; at < text.size();) {
        const Decoded c = utf8_decode(text.data() + at);
        const uint8_t number = script(c.code);
        if (number != kAny && number != last) {
            out.push_back({at, at});
            last = number;
        }
        at += c.length;
        if (out.size() > first) out.back().end = at;
    }
}

void cut_fixed(std::string_view text, uint32_t length, std::vector<Span>& out) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < text.size(); ++count) {
        const auto n = static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(text[at])));
        if (count % length == 0) out.push_back({at, at});
        at += n;
        out.back().end = at;
    }
}

}  // namespace edgeward
