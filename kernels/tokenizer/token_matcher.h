// Finds given strings in a text: leftmost first, then longest, without overlap.
//
// Knows: byte strings and numbers. Does not know: what the strings are for.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/text.h"

namespace edgeward {

class TokenMatcher {
 public:
    // Longer strings are refused: a search may read this many bytes again from every byte on.
    static constexpr size_t kMaxLength = 1024;

    TokenMatcher();

    // Throws std::invalid_argument for an empty, too long or repeated string.
    void add(std::string_view text, uint32_t value);

    bool empty() const { return nodes_.size() == 1; }

    struct Match {
        Span span;
        uint32_t value;
    };
    // The first match in `text` at or behind `from`; false if there is none.
    bool find(std::string_view text, uint32_t from, Match& match) const;

 private:
    struct Node {
        uint32_t value;
        uint32_t child = 0;    // first child, 0 for none
        uint32_t sibling = 0;  // next child of the parent
        unsigned char byte = 0;
    };
    uint32_t child(uint32_t node, unsigned char byte) const;

    std::vector<Node> nodes_;
    std::array<uint32_t, 256> first_{};  // children of the root
    std::string starts_;                 // the bytes that have one
};

}  // namespace edgeward
