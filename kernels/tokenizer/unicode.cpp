#include "tokenizer/unicode.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace edgeward {
namespace {

struct Run {
    uint16_t bits;
    uint32_t count;
};

constexpr Run kRuns[] = {
#include "tokenizer/unicode_tables.inc"
};

}  // namespace

CharClasses::CharClasses() {
    Block block{};
    size_t filled = 0;
    for (const Run& run : kRuns) {
        for (uint32_t left = run.count; left > 0;) {
            const size_t n = std::min<size_t>(left, (1 << kShift) - filled);
            std::fill_n(block.bits + filled, n, run.bits);
            filled += n;
            left -= static_cast<uint32_t>(n);
            if (filled < (1 << kShift)) continue;
            filled = 0;
            // Neighbours repeat (Han, Hangul, unassigned planes), so the last few are enough to
            // look through.
            size_t same = blocks_.size();
            for (size_t back = 1; back <= std::min<size_t>(blocks_.size(), 8); ++back) {
                if (std::memcmp(&blocks_[blocks_.size() - back], &block, sizeof block) == 0) {
                    same = blocks_.size() - back;
                    break;
                }
            }
            if (same == blocks_.size()) blocks_.push_back(block);
            stage_.push_back(static_cast<uint16_t>(same));
        }
    }
}

const CharClasses& CharClasses::get() {
    static const CharClasses classes;
    return classes;
}

}  // namespace edgeward
