// The merge rules of a BPE model as flat tables.
//
// Knows: (left id, right id) -> rank, rank -> new id. Does not know: strings.
//
// A slot is one integer: left id, right id and rank from the top down. Open addressing as in
// word_table.h, with the same bound on every search.
#pragma once

#include <cstdint>

#include "tokenizer/flat_array.h"
#include "tokenizer/hash.h"

namespace edgeward {

inline constexpr uint32_t kNoRank = UINT32_MAX;

class MergeTable {
 public:
    static constexpr size_t kProbeLimit = 256;
    static constexpr size_t kMaxRules = (size_t{1} << 27) - 1;

    MergeTable() = default;
    // For `rules` rules over ids below `end_id`. Throws std::invalid_argument when they are too
    // many to be told apart in a slot (2^22 rules at ids below 2^21, fewer at larger ids).
    MergeTable(size_t rules, uint32_t end_id);

    // Rule number `rank`: `left` and `right` make `result`. A pair given twice keeps its later
    // rank, as in the reference. Throws std::invalid_argument if the pairs cannot be spread.
    void set(uint32_t left, uint32_t right, uint32_t rank, uint32_t result);

    // kNoRank when the pair does not merge.
    uint32_t rank(uint32_t left, uint32_t right) const {
        const uint64_t pair = uint64_t{left} << head_.id_bits | right;
        const uint32_t rank_bits = 64 - 2 * head_.id_bits;
        for (const uint64_t* slot = slots_.data() + place_of(pair);; ++slot) {
            if (*slot >> rank_bits == pair) {
                return static_cast<uint32_t>(*slot & ((uint64_t{1} << rank_bits) - 1));
            }
            if (*slot == kEmpty) return kNoRank;
        }
    }
    uint32_t result(uint32_t rank) const { return results_[rank]; }
    size_t rules() const { return results_.size(); }
    void prefetch(uint32_t left, uint32_t right) const {
        __builtin_prefetch(slots_.data() + place_of(uint64_t{left} << head_.id_bits | right));
    }

    // See WordTable::visit. check() looks at every rule against ids below `end_id`.
    template <class Visit>
    void visit(Visit&& visit) {
        visit(head_);
        visit(slots_);
        visit(results_);
    }
    void check(uint32_t end_id) const;

 private:
    static constexpr uint64_t kEmpty = UINT64_MAX;
    struct Head {
        uint64_t multiplier = 0x9E3779B97F4A7C15u;  // odd
        uint32_t id_bits = 21;
        uint32_t reserved = 0;
    };
    size_t place_of(uint64_t pair) const {
        return (pair * head_.multiplier >> 32) * (slots_.size() - kProbeLimit) >> 32;
    }
    bool place(uint64_t slot);
    void lay_out_anew();

    Head head_;
    FlatArray<uint64_t> slots_;
    FlatArray<uint32_t> results_;  // by rank; kNoId for a rank that no rule has
};

}  // namespace edgeward
