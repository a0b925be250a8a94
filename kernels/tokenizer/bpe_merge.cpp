// The merge loop of BPE, for short and for long words.
#include <algorithm>
#include <queue>

#include "tokenizer/bpe.h"

namespace edgeward {
namespace {

constexpr size_t kShortWord = 48;

// Symbols side by side, each with the merge it would make with its right neighbour.
void merge_short(const MergeTable& merges, std::vector<Symbol>& symbols) {
    Merge next[kShortWord];
    size_t n = symbols.size();
    for (size_t i = 0; i + 1 < n; ++i) next[i] = merges.find(symbols[i].id, symbols[i + 1].id);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; ++i) {
            if (next[i].rank < next[best].rank) best = i;
        }
        if (next[best].id == kNoId) break;
        symbols[best].id = next[best].id;
        symbols[best].length += symbols[best + 1].length;
        for (size_t i = best + 1; i + 1 < n; ++i) symbols[i] = symbols[i + 1];
        for (size_t i = best + 1; i + 2 < n; ++i) next[i] = next[i + 1];
        --n;
        if (best > 0) next[best - 1] = merges.find(symbols[best - 1].id, symbols[best].id);
        if (best + 1 < n) next[best] = merges.find(symbols[best].id, symbols[best + 1].id);
    }
    symbols.resize(n);
}

struct Candidate {
    uint32_t rank;
    uint32_t at;  // index of the left symbol
    uint32_t id;
};

struct Later {
    bool operator()(const Candidate& a, const Candidate& b) const {
        return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
    }
};

// A linked list of symbols and a heap of candidate merges; overtaken candidates are skipped.
void merge_long(const MergeTable& merges, std::vector<Symbol>& symbols) {
    const auto n = static_cast<uint32_t>(symbols.size());
    std::vector<uint32_t> before(n);
    std::vector<uint32_t> after(n);
    std::vector<Candidate> first;
    first.reserve(n);
    for (uint32_t i = 0; i < n; ++i) {
        before[i] = i == 0 ? kNoId : i - 1;
        after[i] = i + 1 == n ? kNoId : i + 1;
        if (i + 1 == n) break;
        const Merge merge = merges.find(symbols[i].id, symbols[i + 1].id);
        if (merge.id != kNoId) first.push_back({merge.rank, i, merge.id});
    }
    std::priority_queue<Candidate, std::vector<Candidate>, Later> queue(Later{}, std::move(first));
    const auto propose = [&](uint32_t left, uint32_t right) {
        const Merge merge = merges.find(symbols[left].id, symbols[right].id);
        if (merge.id != kNoId) queue.push({merge.rank, left, merge.id});
    };
    while (!queue.empty()) {
        const Candidate top = queue.top();
        queue.pop();
        Symbol& left = symbols[top.at];
        const uint32_t right = after[top.at];
        if (left.length == 0 || right == kNoId) continue;
        if (merges.find(left.id, symbols[right].id).id != top.id) continue;
        left.id = top.id;
        left.length += symbols[right].length;
        symbols[right].length = 0;
        after[top.at] = after[right];
        if (after[right] != kNoId) before[after[right]] = top.at;
        if (before[top.at] != kNoId) propose(before[top.at], top.at);
        if (after[top.at] != kNoId) propose(top.at, after[top.at]);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

}  // namespace

void merge_symbols(const MergeTable& merges, std::vector<Symbol>& symbols) {
    if (symbols.size() < 2) return;
    if (symbols.size() <= kShortWord) {
        merge_short(merges, symbols);
    } else {
        merge_long(merges, symbols);
    }
}

}  // namespace edgeward
