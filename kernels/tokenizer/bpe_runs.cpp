#include "tokenizer/bpe_runs.h"

#include <algorithm>
#include <vector>

namespace edgeward {
namespace {

// Equal symbols side by side.
struct Run {
    uint32_t id;
    uint32_t count;
    uint32_t length;  // of each symbol
};

constexpr size_t kFirstRuns = 4;
constexpr size_t kMaxRuns = 32;
constexpr int kMaxSteps = 256;

class RunMerger {
 public:
    RunMerger(const MergeTable& merges, const SymbolRow& row) : merges_(merges), row_(row) {}

    bool merge(size_t& count) {
        for (size_t i = 0; i < row_.count; ++i) {
            const uint32_t length = row_.lengths != nullptr ? row_.lengths[i] : 0;
            if (!runs_.empty() && runs_.back().id == row_.ids[i] && runs_.back().length == length) {
                ++runs_.back().count;
                continue;
            }
            if (runs_.size() == kFirstRuns) return false;
            runs_.push_back({row_.ids[i], 1, length});
        }
        for (int step = 0; step < kMaxSteps && runs_.size() < kMaxRuns; ++step) {
            if (!find_best()) {
                if (tied_) return false;
                count = write();
                return true;
            }
            if (tied_ || !(inside_ ? merge_inside() : merge_between())) return false;
        }
        return false;
    }

 private:
    // The best rule and where it applies; false when none does. Two places for one rank are tied_:
    // which one is first would have to be known symbol by symbol.
    bool find_best() {
        rank_ = kNoRank;
        tied_ = false;
        const auto offer = [this](uint32_t rank, size_t at, bool inside) {
            if (rank == kNoRank || rank > rank_) return;
            tied_ = rank == rank_;
            rank_ = rank;
            at_ = at;
            inside_ = inside;
        };
        for (size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].count > 1) offer(merges_.rank(runs_[i].id, runs_[i].id), i, true);
            if (i + 1 < runs_.size()) offer(merges_.rank(runs_[i].id, runs_[i + 1].id), i, false);
        }
        return rank_ != kNoRank;
    }

    // Pairs of a run from left to right. Between two of these merges no other rule may come first:
    // each pair that comes up on the way must rank behind.
    bool merge_inside() {
        const Run run = runs_[at_];
        const uint32_t made = merges_.result(rank_);
        const auto behind = [this](uint32_t left, uint32_t right) {
            const uint32_t rank = merges_.rank(left, right);
            return rank == kNoRank || rank > rank_;
        };
        if (!behind(made, run.id) || !behind(made, made)) return false;
        if (at_ > 0 && !behind(runs_[at_ - 1].id, made)) return false;
        runs_[at_] = {made, run.count / 2, run.length * 2};
        if (run.count % 2 == 1) {
            runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                         {run.id, 1, run.length});
        }
        return true;
    }

    // The last symbol of a run with the first of the next.
    bool merge_between() {
        const Run left = runs_[at_];
        const Run right = runs_[at_ + 1];
        std::vector<Run> next(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(at_));
        if (left.count > 1) next.push_back({left.id, left.count - 1, left.length});
        next.push_back({merges_.result(rank_), 1, left.length + right.length});
        if (right.count > 1) next.push_back({right.id, right.count - 1, right.length});
        next.insert(next.end(), runs_.begin() + static_cast<std::ptrdiff_t>(at_) + 2, runs_.end());
        runs_ = std::move(next);
        return true;
    }

    size_t write() const {
        size_t at = 0;
        for (const Run& run : runs_) {
            std::fill_n(row_.ids + at, run.count, run.id);
            if (row_.lengths != nullptr) std::fill_n(row_.lengths + at, run.count, run.length);
            at += run.count;
        }
        return at;
    }

    const MergeTable& merges_;
    const SymbolRow& row_;
    std::vector<Run> runs_;
    uint32_t rank_ = kNoRank;
    size_t at_ = 0;
    bool inside_ = false;
    bool tied_ = false;
};

}  // namespace

bool merge_runs(const MergeTable& merges, const SymbolRow& row, size_t& count) {
    return RunMerger(merges, row).merge(count);
}

}  // namespace edgeward
