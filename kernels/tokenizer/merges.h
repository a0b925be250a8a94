// The merge rules of a BPE model as one flat hash table.
//
// Knows: (left id, right id) -> (rank, new id). Does not know: strings.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenizer/hash.h"
#include "tokenizer/vocab.h"

namespace edgeward {

struct Merge {
    uint32_t rank;
    uint32_t id;  // kNoId when the pair does not merge
};

inline constexpr Merge kNoMerge{UINT32_MAX, kNoId};

class MergeTable {
 public:
    explicit MergeTable(size_t pairs) : seed_(random_seed()) {
        size_t slots = 64;
        while (slots < pairs * 2) slots *= 2;
        slots_.assign(slots, Slot{kEmpty, kNoMerge});
    }

    // A pair given twice keeps its later rank, as in the reference.
    void set(uint32_t left, uint32_t right, Merge merge) {
        Slot& slot = slots_[locate(key(left, right))];
        slot = {key(left, right), merge};
    }

    Merge find(uint32_t left, uint32_t right) const {
        return slots_[locate(key(left, right))].merge;
    }

 private:
    static constexpr uint64_t kEmpty = UINT64_MAX;  // no pair: ids stay below kMaxId
    struct Slot {
        uint64_t key;
        Merge merge;
    };
    static uint64_t key(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
    size_t locate(uint64_t key) const {
        const size_t mask = slots_.size() - 1;
        size_t at = mix(key ^ seed_, 0x9E3779B97F4A7C15u) & mask;
        while (slots_[at].key != key && slots_[at].key != kEmpty) at = (at + 1) & mask;
        return at;
    }

    std::vector<Slot> slots_;
    uint64_t seed_;
};

}  // namespace edgeward
