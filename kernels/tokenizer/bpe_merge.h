// The merge loop of byte-pair encoding: always the rule of lowest rank, leftmost first.
//
// Knows: ids and rules. Does not know: text, or how a word became symbols.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tokenizer/merges.h"

namespace edgeward {

// The symbols of one word, in place.
struct SymbolRow {
    uint32_t* ids;
    uint32_t* lengths;            // bytes of the word each covers; may be null
    const uint32_t* first_ranks;  // rank of each symbol with the next one; null: looked up
    size_t count;
};

// Merges until no rule applies and returns how many symbols are left, at the front of the row.
// O(n log n) for any rules, with no allocation up to 64 symbols.
size_t merge_row(const MergeTable& merges, const SymbolRow& row);

}  // namespace edgeward
