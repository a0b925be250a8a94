#include "tokenizer/char_set.h"

#include <algorithm>
#include <array>

#include "tokenizer/unicode.h"

namespace edgeward {
namespace {

constexpr char32_t kLastCode = 0x10FFFF;

// In the order of Category.
constexpr std::array<std::string_view, 29> kNames = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co"};

template <class Test>
CharSet where(Test&& test) {
    const CharClasses& classes = CharClasses::get();
    CharSet set;
    char32_t first = 0;
    bool inside = false;
    for (char32_t c = 0; c <= kLastCode + 1; ++c) {
        const bool member = c <= kLastCode && test(classes.bits(c));
        if (member && !inside) first = c;
        if (!member && inside) set.add(first, c - 1);
        inside = member;
    }
    return set;
}

}  // namespace

void CharSet::add(const CharSet& other) {
    ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

std::vector<CharSet::Range> CharSet::ranges() const {
    std::vector<Range> sorted = ranges_;
    std::sort(sorted.begin(), sorted.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    std::vector<Range> merged;
    for (const Range& range : sorted) {
        if (!merged.empty() && range.first <= merged.back().last + 1) {
            merged.back().last = std::max(merged.back().last, range.last);
        } else {
            merged.push_back(range);
        }
    }
    return merged;
}

CharSet CharSet::complement() const {
    CharSet result;
    char32_t next = 0;
    for (const Range& range : ranges()) {
        if (range.first > next) result.add(next, range.first - 1);
        next = range.last + 1;
    }
    if (next <= kLastCode) result.add(next, kLastCode);
    return result;
}

CharSet CharSet::intersection(const CharSet& other) const {
    CharSet outside = complement();
    outside.add(other.complement());
    return outside.complement();
}

bool CharSet::contains(char32_t c) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [c](const Range& range) { return range.first <= c && c <= range.last; });
}

CharSet space_set() {
    return where([](uint16_t bits) { return (bits & kSpaceBit) != 0; });
}

CharSet word_set() {
    return where([](uint16_t bits) { return (bits & kRegexWordBit) != 0; });
}

std::optional<CharSet> property_set(std::string_view name) {
    std::array<bool, kNames.size()> wanted{};
    bool any = false;
    for (size_t i = 0; i < kNames.size(); ++i) {
        wanted[i] = !name.empty() && name.size() <= 2 && kNames[i].starts_with(name);
        any = any || wanted[i];
    }
    if (!any) return std::nullopt;
    return where([&](uint16_t bits) { return wanted[bits & kCategoryMask]; });
}

}  // namespace edgeward
