// Unicode normalization forms (UAX #15) and lower case with the reference's frozen tables.
//
// Knows: decomposition, canonical order, composition, and how the reference assigns original
// characters to the results. Does not know: which stage of a tokenizer asks.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/text.h"

namespace edgeward {

enum class Form { kNfc, kNfd, kNfkc, kNfkd };

// Immutable, one for the process.
class NormalizationTables {
 public:
    static const NormalizationTables& get();

    // Class bits of a code point: the combining class, and:
    static constexpr uint16_t kClassMask = 0xFF;
    static constexpr uint16_t kCanonicalBit = 1 << 8;   // has a canonical decomposition
    static constexpr uint16_t kCompatibleBit = 1 << 9;  // has another, compatible one
    static constexpr uint16_t kComposesBit = 1 << 10;   // may join the character before it
    static constexpr uint16_t kLowerBit = 1 << 11;      // its lower case is another
    uint16_t bits(char32_t c) const { return blocks_[stage_[c >> 8] * 256u + (c & 255)]; }

    // Full decomposition of a character that has one and is no Hangul syllable.
    std::span<const uint32_t> canonical(char32_t c) const { return canonical_.at(c); }
    std::span<const uint32_t> compatible(char32_t c) const { return compatible_.at(c); }
    std::span<const uint32_t> lower(char32_t c) const { return lower_.at(c); }
    // 0 if the pair does not compose.
    char32_t compose(char32_t first, char32_t second) const;

 private:
    using Mapping = std::unordered_map<char32_t, std::span<const uint32_t>>;
    NormalizationTables();
    static void read(std::span<const uint32_t> flat, Mapping& mapping);

    Mapping canonical_;
    Mapping compatible_;
    Mapping lower_;
    std::unordered_map<uint64_t, char32_t> pairs_;
    std::vector<uint16_t> stage_;
    std::vector<uint16_t> blocks_;
};

// True if normalizing `text` changes nothing, as far as a look at single characters can tell.
bool is_normal(Form form, std::string_view text);

// Appends the normal form of `piece`.
void normalize(Form form, const Pieces& text, Span piece, Rewritten& out);

}  // namespace edgeward
