// Sets of code points as sorted ranges, and the sets that regular expressions name.
//
// Knows: union, intersection, complement; \p{..}, \s, \d, \w as Oniguruma has them. Does not know:
// expressions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace edgeward {

class CharSet {
 public:
    struct Range {
        char32_t first;
        char32_t last;  // inclusive
    };

    CharSet() = default;
    CharSet(char32_t first, char32_t last) : ranges_{{first, last}} {}

    void add(char32_t first, char32_t last) { ranges_.push_back({first, last}); }
    void add(const CharSet& other);
    CharSet complement() const;
    CharSet intersection(const CharSet& other) const;

    // Sorted, disjoint, not touching.
    std::vector<Range> ranges() const;
    bool contains(char32_t c) const;
    bool empty() const { return ranges_.empty(); }

 private:
    std::vector<Range> ranges_;
};

// \s and \w.
CharSet space_set();
CharSet word_set();

// The set called `name` in \p{name}: a general category of one or two letters; nothing if unknown.
std::optional<CharSet> property_set(std::string_view name);

}  // namespace edgeward
