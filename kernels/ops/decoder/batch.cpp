#include "ops/decoder/batch.h"

#include <algorithm>

namespace edgeward::ops {

Piece piece_of(const Batch& batch, std::size_t first, std::size_t count, std::size_t vocabulary) {
    Piece piece;
    const std::size_t last = first + count;
    piece.wanted_from = first;
    piece.batch.ids = batch.ids + first;
    piece.batch.tokens = count;
    piece.batch.cache_context = batch.cache_context;
    for (const Sequence& sequence : batch.sequences) {
        const std::size_t from = std::max(first, sequence.first);
        const std::size_t to = std::min(last, sequence.first + sequence.count);
        if (from >= to) continue;
        piece.batch.sequences.push_back(
            {from - first, to - from, sequence.position + (from - sequence.first), sequence.cache});
    }
    const std::int32_t* end = batch.wanted + batch.wanted_count;
    const std::int32_t* begin =
        std::lower_bound(batch.wanted, end, static_cast<std::int32_t>(first));
    piece.batch.wanted = begin;
    piece.batch.wanted_count = static_cast<std::size_t>(
        std::lower_bound(begin, end, static_cast<std::int32_t>(last)) - begin);
    piece.batch.logits = batch.logits + static_cast<std::size_t>(begin - batch.wanted) * vocabulary;
    return piece;
}

}  // namespace edgeward::ops
