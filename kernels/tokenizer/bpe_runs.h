// Rows of little but one symbol repeated (a line of '=', an indentation), merged as runs.
//
// Knows: runs of equal symbols, and when merging them all at once is what merging one after the
// other would come to. Does not know: how other rows are merged.
#pragma once

#include <cstddef>

#include "tokenizer/bpe_merge.h"

namespace edgeward {

// Such a row stays a handful of runs to the end, so it takes as many steps as words double. Sets
// the number of symbols that are left in `row`. Returns false, having changed nothing, if the row
// is no such thing or its rules do not go that way; the caller merges it symbol by symbol.
bool merge_runs(const MergeTable& merges, const SymbolRow& row, size_t& count);

}  // namespace edgeward
