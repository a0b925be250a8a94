// Extended grapheme clusters (UAX #29) as the reference cuts them.
//
// Knows: the boundary rules and the frozen classes of characters (tools/make_grapheme_tables.py).
// Regional indicators have no class here: a pair of flags is cut in two. Every cluster with one
// has six bytes or more, or is one character, and Charsmap, the only caller, treats both alike.
#pragma once

#include <cstdint>
#include <string_view>

#include "tokenizer/run_table.h"
#include "tokenizer/utf8.h"

namespace edgeward {

// Walks over the clusters of a valid UTF-8 text.
class GraphemeCursor {
 public:
    // Starts at a boundary.
    GraphemeCursor(std::string_view text, uint32_t at);

    uint32_t at() const { return at_; }
    bool done() const { return at_ == text_.size(); }
    // The end of the cluster at at(), to which it moves.
    uint32_t next();

 private:
    void look();

    const RunTable& table_;
    std::string_view text_;
    uint32_t at_;
    uint32_t length_ = 0;  // of the character at at_
    uint8_t value_ = 0;    // its class and flags
};

}  // namespace edgeward
