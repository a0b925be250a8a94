// Classes of characters, frozen from the reference (tools/make_unicode_tables.py says how and why).
//
// Knows: one 16-bit word of class bits a code point. Does not know: any standard's version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgeward {

// General categories as Oniguruma's \p{..} sees them; the order is the table's.
enum Category : uint16_t {
    kCn,
    kLu,
    kLl,
    kLt,
    kLm,
    kLo,
    kMn,
    kMc,
    kMe,
    kNd,
    kNl,
    kNo,
    kPc,
    kPd,
    kPs,
    kPe,
    kPi,
    kPf,
    kPo,
    kSm,
    kSc,
    kSk,
    kSo,
    kZs,
    kZl,
    kZp,
    kCc,
    kCf,
    kCo,
};

inline constexpr uint16_t kCategoryMask = 31;
inline constexpr uint16_t kSpaceBit = 1 << 5;        // White_Space: regex \s and Rust's whitespace
inline constexpr uint16_t kNumericBit = 1 << 6;      // Rust's char::is_numeric (Digits)
inline constexpr uint16_t kWordBit = 1 << 7;         // \w of the regex crate (single_word)
inline constexpr uint16_t kRegexWordBit = 1 << 9;    // \w of Oniguruma (Split)
inline constexpr uint16_t kPunctuationBit = 1 << 8;  // Punctuation and BertPreTokenizer

inline constexpr uint16_t kBertRemovedBit = 1 << 10;  // what BertNormalizer's clean_text drops
inline constexpr uint16_t kNonspacingBit = 1 << 11;   // what BertNormalizer's strip_accents drops
inline constexpr uint16_t kCombiningBit = 1 << 12;    // what StripAccents drops

// A two-stage table over all code points; immutable, one for the process.
class CharClasses {
 public:
    static const CharClasses& get();

    uint16_t bits(char32_t c) const { return blocks_[stage_[c >> kShift]][c & kMask]; }
    Category category(char32_t c) const { return static_cast<Category>(bits(c) & kCategoryMask); }
    bool space(char32_t c) const { return bits(c) & kSpaceBit; }

 private:
    CharClasses();
    static constexpr int kShift = 8;
    static constexpr char32_t kMask = (1 << kShift) - 1;
    struct Block {
        uint16_t bits[1 << kShift];
        const uint16_t& operator[](size_t i) const { return bits[i]; }
    };
    std::vector<uint16_t> stage_;
    std::vector<Block> blocks_;
};

inline bool is_letter(uint16_t bits) {
    const uint16_t c = bits & kCategoryMask;
    return c >= kLu && c <= kLo;
}
inline bool is_mark(uint16_t bits) {
    const uint16_t c = bits & kCategoryMask;
    return c >= kMn && c <= kMe;
}
inline bool is_number(uint16_t bits) {
    const uint16_t c = bits & kCategoryMask;
    return c >= kNd && c <= kNo;
}
inline bool is_punctuation_or_symbol(uint16_t bits) {
    const uint16_t c = bits & kCategoryMask;
    return c >= kPc && c <= kSo;
}

}  // namespace edgeward
