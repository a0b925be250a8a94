// Room for the symbols of one word, on the stack if they are few.
//
// Knows: ids, lengths, ranks. Does not know: how a word is spelled.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tokenizer/bpe_merge.h"
#include "tokenizer/model.h"

namespace edgeward {

class SymbolRoom {
 public:
    // `room`: the most symbols that will be added.
    explicit SymbolRoom(size_t room) {
        if (room <= kFew) return;
        large_ = std::make_unique_for_overwrite<uint32_t[]>(3 * room);
        ids_ = large_.get();
        lengths_ = ids_ + room;
        ranks_ = lengths_ + room;
    }
    void add(uint32_t id, uint32_t length) {
        ids_[count_] = id;
        lengths_[count_++] = length;
    }
    void clear() { count_ = 0; }
    // The rank of the symbol added last but one with the one added last.
    void rank(uint32_t rank) { ranks_[count_ - 2] = rank; }

    // Merges the symbols from number `from` on.
    void merge(const MergeTable& merges, bool ranked, size_t from = 0) {
        count_ = from + merge_row(merges, {ids_ + from, lengths_ + from,
                                           ranked ? ranks_ + from : nullptr, count_ - from});
    }
    size_t size() const { return count_; }
    std::span<const uint32_t> ids() const { return {ids_, count_}; }
    std::span<const uint32_t> lengths() const { return {lengths_, count_}; }
    bool is_one(uint32_t id, size_t length) const {
        return count_ == 1 && ids_[0] == id && lengths_[0] == length;
    }
    void give(TokenBuffer& out) const {
        out.ids.insert(out.ids.end(), ids_, ids_ + count_);
        if (out.want_lengths) out.lengths.insert(out.lengths.end(), lengths_, lengths_ + count_);
    }

 private:
    static constexpr size_t kFew = 64;
    uint32_t small_[3 * kFew];
    std::unique_ptr<uint32_t[]> large_;
    uint32_t* ids_ = small_;
    uint32_t* lengths_ = small_ + kFew;
    uint32_t* ranks_ = small_ + 2 * kFew;
    size_t count_ = 0;
};

}  // namespace edgeward
