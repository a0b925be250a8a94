#include <map>

#include "tokenizer/normalization.h"

namespace edgeward {
namespace {

struct ClassRun {
    uint16_t cls;
    uint32_t count;
};
struct Pair {
    uint32_t first;
    uint32_t second;
    uint32_t composed;
};

#include "tokenizer/normalization_tables.inc"

constexpr char32_t kEnd = 0x110000;

}  // namespace

void NormalizationTables::read(std::span<const uint32_t> flat, Mapping& mapping) {
    for (size_t at = 0; at < flat.size(); at += 2 + flat[at + 1]) {
        mapping.emplace(flat[at], flat.subspan(at + 2, flat[at + 1]));
    }
}

NormalizationTables::NormalizationTables() {
    read(kCanonical, canonical_);
    read(kCompatible, compatible_);
    read(kLower, lower_);
    std::vector<uint16_t> bits;
    bits.reserve(kEnd);
    for (const ClassRun& run : kClassRuns) bits.insert(bits.end(), run.count, run.cls);
    for (const auto& entry : canonical_) bits[entry.first] |= kCanonicalBit;
    for (const auto& entry : compatible_) bits[entry.first] |= kCompatibleBit;
    for (const auto& entry : lower_) bits[entry.first] |= kLowerBit;
    for (char32_t c = 0xAC00; c < 0xD7A4; ++c) bits[c] |= kCanonicalBit;
    for (char32_t c = 0x1161; c < 0x1176; ++c) bits[c] |= kComposesBit;
    for (char32_t c = 0x11A8; c < 0x11C3; ++c) bits[c] |= kComposesBit;
    for (const Pair& pair : kPairs) {
        pairs_.emplace(uint64_t{pair.first} << 32 | pair.second, pair.composed);
        bits[pair.second] |= kComposesBit;
    }
    std::map<std::vector<uint16_t>, size_t> known;
    for (size_t first = 0; first < kEnd; first += 256) {
        const auto begin = bits.begin() + static_cast<std::ptrdiff_t>(first);
        std::vector<uint16_t> block(begin, begin + 256);
        const auto [entry, is_new] = known.try_emplace(block, known.size());
        if (is_new) blocks_.insert(blocks_.end(), block.begin(), block.end());
        stage_.push_back(static_cast<uint16_t>(entry->second));
    }
}

const NormalizationTables& NormalizationTables::get() {
    static const NormalizationTables tables;
    return tables;
}

char32_t NormalizationTables::compose(char32_t first, char32_t second) const {
    // Hangul by arithmetic (Unicode 3.12).
    if (first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176) {
        return 0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28;
    }
    if (first >= 0xAC00 && first < 0xD7A4 && (first - 0xAC00) % 28 == 0 && second >= 0x11A8 &&
        second < 0x11C3) {
        return first + (second - 0x11A7);
    }
    const auto found = pairs_.find(uint64_t{first} << 32 | second);
    return found == pairs_.end() ? 0 : found->second;
}

}  // namespace edgeward
