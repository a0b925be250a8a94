// Candidates are found by a tournament: every symbol has a key, the rank of its rule with the next
// symbol above the lowest four bits and its place among 16 neighbours in them, so that the least of
// 16 keys names both the best rule and, of equals, the leftmost. Up to 64 symbols the winners of
// the (at most four) blocks are compared directly; above, blocks of 16 winners form a tree.
#include "tokenizer/bpe_merge.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "tokenizer/bpe_runs.h"

namespace edgeward {
namespace {

constexpr size_t kSmall = 64;
constexpr size_t kWidth = 16;
constexpr int32_t kNone = INT32_MAX;

int32_t key_of(uint32_t rank, size_t at) {
    return rank == kNoRank ? kNone : static_cast<int32_t>(rank << 4 | (at & (kWidth - 1)));
}

int32_t least(const int32_t* keys) {
    int32_t best = keys[0];
    for (size_t i = 1; i < kWidth; ++i) best = std::min(best, keys[i]);
    return best;
}

uint32_t first_rank(const MergeTable& merges, const SymbolRow& row, size_t at) {
    return row.first_ranks != nullptr ? row.first_ranks[at]
                                      : merges.rank(row.ids[at], row.ids[at + 1]);
}

// The neighbours of a symbol are the next bits of `alive`.
size_t merge_small(const MergeTable& merges, const SymbolRow& row) {
    alignas(64) int32_t keys[kSmall];
    int32_t winners[kSmall / kWidth];
    const size_t n = row.count;
    const size_t blocks = (n + kWidth - 1) / kWidth;
    std::fill(keys, keys + blocks * kWidth, kNone);
    for (size_t i = 0; i + 1 < n; ++i) keys[i] = key_of(first_rank(merges, row, i), i);
    for (size_t b = 0; b < blocks; ++b) winners[b] = least(keys + b * kWidth);
    uint64_t alive = ~uint64_t{0} >> (kSmall - n);
    uint32_t* const ids = row.ids;
    for (;;) {
        size_t block = 0;
        for (size_t b = 1; b < blocks; ++b) {
            if (winners[b] >> 4 < winners[block] >> 4) block = b;
        }
        const int32_t best = winners[block];
        if (best == kNone) break;
        const size_t left = block * kWidth + (static_cast<size_t>(best) & (kWidth - 1));
        ids[left] = merges.result(static_cast<uint32_t>(best) >> 4);
        const uint64_t behind = alive & ~uint64_t{1} << left;
        const auto right = static_cast<size_t>(std::countr_zero(behind));
        alive &= ~(uint64_t{1} << right);
        keys[right] = kNone;
        const uint64_t rest = behind & (behind - 1);
        keys[left] = kNone;
        if (rest != 0) {
            const auto next = static_cast<size_t>(std::countr_zero(rest));
            keys[left] = key_of(merges.rank(ids[left], ids[next]), left);
        }
        if (const uint64_t front = alive & ((uint64_t{1} << left) - 1); front != 0) {
            const auto before = static_cast<size_t>(std::bit_width(front) - 1);
            keys[before] = key_of(merges.rank(ids[before], ids[left]), before);
            if (before / kWidth != block) {
                winners[before / kWidth] = least(keys + before / kWidth * kWidth);
            }
        }
        if (right / kWidth != block) {
            winners[right / kWidth] = least(keys + right / kWidth * kWidth);
        }
        winners[block] = least(keys + block * kWidth);
    }
    size_t count = 0;
    for (uint64_t left = alive; left != 0; left &= left - 1) {
        const auto at = static_cast<size_t>(std::countr_zero(left));
        ids[count] = ids[at];
        if (row.lengths != nullptr) {
            const uint64_t rest = left & (left - 1);
            const size_t end = rest == 0 ? n : static_cast<size_t>(std::countr_zero(rest));
            uint32_t length = 0;
            for (size_t i = at; i < end; ++i) length += row.lengths[i];
            row.lengths[count] = length;
        }
        ++count;
    }
    return count;
}

// The keys of any number of symbols, and above them the winners of each 16, and so on to one.
class Tournament {
 public:
    explicit Tournament(size_t count) {
        do {
            const size_t blocks = (count + kWidth - 1) / kWidth;
            levels_.emplace_back(blocks * kWidth, kNone);
            count = blocks;
        } while (count > 1);
    }

    // Sets a key without telling the levels above; update() or play() does.
    void set(size_t at, uint32_t rank) { levels_[0][at] = key_of(rank, at); }

    void play() {
        for (size_t level = 0; level + 1 < levels_.size(); ++level) {
            for (size_t b = 0; b * kWidth < levels_[level].size(); ++b) refresh(level, b);
        }
    }

    void update(size_t at) {
        for (size_t level = 0; level + 1 < levels_.size(); ++level) {
            at /= kWidth;
            if (!refresh(level, at)) return;
        }
    }

    // False when no rule applies.
    bool best(size_t& at, uint32_t& rank) const {
        at = 0;
        for (size_t level = levels_.size(); level-- > 0;) {
            const int32_t key = least(levels_[level].data() + at * kWidth);
            if (key == kNone) return false;
            rank = static_cast<uint32_t>(key) >> 4;
            at = at * kWidth + (static_cast<size_t>(key) & (kWidth - 1));
        }
        return true;
    }

 private:
    // Brings the winner of a block to the level above; false if it was there.
    bool refresh(size_t level, size_t block) {
        const int32_t key = least(levels_[level].data() + block * kWidth);
        const int32_t winner =
            key == kNone ? kNone : key_of(static_cast<uint32_t>(key) >> 4, block);
        int32_t& above = levels_[level + 1][block];
        return std::exchange(above, winner) != winner;
    }

    std::vector<std::vector<int32_t>> levels_;
};

size_t merge_large(const MergeTable& merges, const SymbolRow& row) {
    const auto n = static_cast<uint32_t>(row.count);
    uint32_t* const ids = row.ids;
    struct Links {
        uint32_t before;
        uint32_t after;  // n behind the last symbol
    };
    std::vector<Links> links(n);
    Tournament tournament(n);
    for (uint32_t i = 0; i < n; ++i) {
        links[i] = {i - 1, i + 1};
        if (i + 1 < n) tournament.set(i, first_rank(merges, row, i));
    }
    tournament.play();
    size_t left = 0;
    uint32_t rank = 0;
    while (tournament.best(left, rank)) {
        const auto at = static_cast<uint32_t>(left);
        const uint32_t right = links[at].after;
        const uint32_t next = links[right].after;
        ids[at] = merges.result(rank);
        links[at].after = next;
        tournament.set(right, kNoRank);
        tournament.set(at, kNoRank);
        if (next != n) {
            links[next].before = at;
            tournament.set(at, merges.rank(ids[at], ids[next]));
        }
        if (at != 0) {
            const uint32_t before = links[at].before;
            tournament.set(before, merges.rank(ids[before], ids[at]));
            if (before / kWidth != at / kWidth) tournament.update(before);
        }
        if (right / kWidth != at / kWidth) tournament.update(right);
        tournament.update(at);
    }
    size_t count = 0;
    for (uint32_t at = 0; at < n; ++count) {
        const uint32_t next = links[at].after;
        ids[count] = ids[at];
        if (row.lengths != nullptr) {
            uint32_t length = 0;
            for (uint32_t i = at; i < next; ++i) length += row.lengths[i];
            row.lengths[count] = length;
        }
        at = next;
    }
    return count;
}

}  // namespace

size_t merge_row(const MergeTable& merges, const SymbolRow& row) {
    if (row.count < 2) return row.count;
    if (row.count <= kSmall) return merge_small(merges, row);
    size_t count = 0;
    return merge_runs(merges, row, count) ? count : merge_large(merges, row);
}

}  // namespace edgeward
