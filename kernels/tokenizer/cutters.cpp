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
