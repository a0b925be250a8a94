// Kinds of characters that the known split patterns tell apart, one by one and 64 bytes at a time.
//
// Knows: which general categories a kind holds, in the reference's tables. Does not know: patterns.
#pragma once

#include <array>
#include <cstdint>

#include "tokenizer/byte_block.h"
#include "tokenizer/cutter.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {

enum Kind : uint8_t {
    kLetter,  // Lm, Lo; with `cased` off, every letter
    kUpper,   // Lu, Lt
    kLower,   // Ll
    kMark,    // M, with `cased` on
    kDigit,   // N
    kSpace,   // \s
    kOther,   // the rest
    kApart,   // cut out before the pattern is asked
    kStray,   // C, with `strays` on
    kKinds,
};

// What a pattern wants to know.
struct KindOptions {
    bool cased = false;          // upper and lower case differ, marks are a kind of their own
    bool marks_join = false;     // marks are letters
    bool strays = false;         // what is neither letter, mark, number, punctuation, symbol, space
    bool numbers_apart = false;  // Rust's is_numeric, as Digits has it
    bool han_apart = false;      // U+4E00..9FA5, U+3040..30FF, as DeepSeek's pattern has it
};

constexpr Kind kind_of_category(KindOptions o, unsigned category) {
    if (category >= kLu && category <= kLo) {
        if (!o.cased || category >= kLm) return kLetter;
        return category == kLl ? kLower : kUpper;
    }
    if (category >= kMn && category <= kMe) {
        if (o.cased) return kMark;
        return o.marks_join ? kLetter : kOther;
    }
    if (category >= kNd && category <= kNo) return kDigit;
    if (category >= kPc && category <= kSo) return kOther;
    return o.strays ? kStray : kOther;
}

constexpr bool is_newline(char c) { return c == '\n' || c == '\r'; }

// The kind of one character.
template <KindOptions kOptions>
class Kinds {
 public:
    struct At {
        Kind kind;
        const char* next;
    };

    // The character at `p`.
    At look(const char* p) const {
        const auto byte = static_cast<unsigned char>(*p);
        if (byte < 0x80) return {kAscii[byte], p + 1};
        const Decoded c = utf8_decode(p);
        return {of(c.code), p + c.length};
    }

    // A character outside ASCII.
    Kind of(char32_t c) const {
        const uint16_t bits = classes_.bits(c);
        if constexpr (kOptions.numbers_apart) {
            if (bits & kNumericBit) return kApart;
        }
        if constexpr (kOptions.han_apart) {
            if ((c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF)) return kApart;
        }
        return bits & kSpaceBit ? kSpace : kCategories[bits & kCategoryMask];
    }

    // End of the run of `kind` that starts at `p`.
    const char* run(const char* p, const char* end, Kind kind) const {
        while (p < end) {
            const At at = look(p);
            if (at.kind != kind) break;
            p = at.next;
        }
        return p;
    }

    // A window's bytes by kind: all bytes of a character are in the mask of its kind.
    struct Masks {
        uint64_t of[kKinds] = {};
        uint64_t valid;    // the text
        uint64_t space;    // ' ' itself
        uint64_t newline;  // \r \n
        uint64_t non_ascii = 0;
        uint64_t later = 0;  // bytes of a character behind its first

        uint64_t letters() const { return of[kLetter] | of[kUpper] | of[kLower] | of[kMark]; }
    };

    Masks masks(const ByteBlock& block, const Window& window) const {
        Masks m;
        m.valid = low_bits(window.size);
        m.space = block.equal(' ');
        m.newline = block.equal('\n') | block.equal('\r');
        m.non_ascii = block.non_ascii() & m.valid;
        const uint64_t letters = block.letters() & m.valid;
        const uint64_t digits = block.between('0', '9') & m.valid;
        const uint64_t spaces = (m.space | block.between('\t', '\r')) & m.valid;
        if constexpr (kOptions.cased) {
            m.of[kUpper] = block.between('A', 'Z') & m.valid;
            m.of[kLower] = letters & ~m.of[kUpper];
        } else {
            m.of[kLetter] = letters;
        }
        m.of[kOptions.numbers_apart ? kApart : kDigit] = digits;
        m.of[kSpace] = spaces;
        uint64_t rest = m.valid & ~(letters | digits | spaces | m.non_ascii);
        if constexpr (kOptions.strays) {
            m.of[kStray] = rest & (block.between(0, 0x1F) | block.equal('\x7F'));
            rest &= ~m.of[kStray];
        }
        m.of[kOther] = rest;
        if (m.non_ascii != 0) add_non_ascii(block, window.p, m);
        return m;
    }

 private:
    static constexpr std::array<Kind, 32> kCategories = [] {
        std::array<Kind, 32> table{};
        for (unsigned c = 0; c < 32; ++c) table[c] = kind_of_category(kOptions, c);
        return table;
    }();

    static constexpr std::array<Kind, 128> kAscii = [] {
        std::array<Kind, 128> table{};
        for (unsigned c = 0; c < 128; ++c) {
            const bool upper = c >= 'A' && c <= 'Z';
            const bool lower = c >= 'a' && c <= 'z';
            table[c] = kOther;
            if (upper || lower) table[c] = kOptions.cased ? upper ? kUpper : kLower : kLetter;
            if (c >= '0' && c <= '9') table[c] = kOptions.numbers_apart ? kApart : kDigit;
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                table[c] = kSpace;
            } else if (kOptions.strays && (c < 0x20 || c == 0x7F)) {
                table[c] = kStray;
            }
        }
        return table;
    }();

    void add_non_ascii(const ByteBlock& block, const char* p, Masks& m) const {
        m.later = block.between(0x80, 0xBF) & m.valid;
        // Most characters outside ASCII are letters; those stay in a register.
        uint64_t letters = 0;
        for (uint64_t left = m.non_ascii & ~m.later; left != 0; left &= left - 1) {
            const unsigned i = lowest_bit(left);
            const Decoded c = utf8_decode(p + i);
            const Kind kind = of(c.code);
            const uint64_t bytes = low_bits(c.length) << i;
            if (kind == kLetter) {
                letters |= bytes;
            } else {
                m.of[kind] |= bytes;
            }
        }
        m.of[kLetter] |= letters;
    }

    const CharClasses& classes_ = CharClasses::get();
};

// The first bytes of the characters whose last bytes are `ends`, in a text whose bytes behind the
// first of a character are `later`. For characters of at most three bytes, as all spaces are.
inline uint64_t first_bytes(uint64_t ends, uint64_t later) {
    const uint64_t second = (ends & later) >> 1;
    const uint64_t third = (second & later) >> 1;
    return (ends | second | third) & ~later;
}

// All bytes of the characters that start at `firsts`.
inline uint64_t whole_characters(uint64_t firsts, uint64_t later) {
    uint64_t all = firsts;
    for (int i = 0; i < 3; ++i) all |= (all << 1) & later;
    return all;
}

}  // namespace edgeward
