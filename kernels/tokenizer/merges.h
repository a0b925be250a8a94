// The merge rules of a BPE model as flat tables.
//
// Knows: (left id, right id) -> rank, rank -> new id. Does not know: strings.
//
// A slot is one integer: left id, right id and rank from the top down. Open addressing as in
// word_table.h, with the same bound on every search. Most pairs have no rule, and the slots of a
// large table lie far away, so a filter of one byte a rule (two bits of a word; Bloom, 1970) comes
// first: it lets about 1 in 17 of the others through.
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
        const uint64_t hash = pair * head_.multiplier;
        const uint64_t bits = filter_bits(hash);
        if ((filter_[scaled(hash, filter_.size())] & bits) != bits) return kNoRank;
        const uint32_t rank_bits = 64 - 2 * head_.id_bits;
        const uint64_t* slot = slots_.data() + scaled(hash, slots_.size() - kProbeLimit);
        while (*slot >> rank_bits != pair) {
            if (*slot == kEmpty) return kNoRank;
            ++slot;
        }
        const auto rank = static_cast<uint32_t>(*slot & ((uint64_t{1} << rank_bits) - 1));
        __builtin_prefetch(results_.data() + rank);
        return rank;
    }
    // Asks for the memory that set() or rank() of the pair will touch.
    void prefetch(uint32_t left, uint32_t right) const {
        const uint64_t hash = (uint64_t{left} << head_.id_bits | right) * head_.multiplier;
        __builtin_prefetch(filter_.data() + scaled(hash, filter_.size()));
        __builtin_prefetch(slots_.data() + scaled(hash, slots_.size() - kProbeLimit));
    }
    uint32_t result(uint32_t rank) const { return results_[rank]; }
    size_t rules() const { return results_.size(); }
    // See WordTable::visit. check() looks at every rule against ids below `end_id`.
    template <class Visit>
    void visit(Visit&& visit) {
        visit(head_);
        visit(filter_);
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
    static size_t scaled(uint64_t hash, size_t size) { return (hash >> 32) * size >> 32; }
    static uint64_t filter_bits(uint64_t hash) {
        return uint64_t{1} << (hash >> 26 & 63) | uint64_t{1} << (hash >> 20 & 63);
    }
    bool place(uint64_t slot);
    void lay_out_anew();

    Head head_;
    FlatArray<uint64_t> filter_;
    FlatArray<uint64_t> slots_;
    FlatArray<uint32_t> results_;  // by rank; kNoId for a rank that no rule has
};

}  // namespace edgeward
