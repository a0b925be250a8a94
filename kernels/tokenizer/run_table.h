// A value of eight bits for every code point, in two stages, from run lengths.
//
// Knows: the layout. Does not know: what the values mean.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace edgeward {

struct ByteRun {
    uint8_t value;
    uint32_t count;
};

class RunTable {
 public:
    // `runs` cover all code points.
    explicit RunTable(std::span<const ByteRun> runs) {
        size_t filled = 0;
        uint8_t block[kBlock];
        for (const ByteRun& run : runs) {
            for (uint32_t left = run.count; left > 0;) {
                const size_t n = std::min<size_t>(left, kBlock - filled);
                std::memset(block + filled, run.value, n);
                filled += n;
                left -= static_cast<uint32_t>(n);
                if (filled == kBlock) {
                    add(block);
                    filled = 0;
                }
            }
        }
    }

    uint8_t operator[](char32_t c) const {
        return values_[size_t{stage_[c / kBlock]} * kBlock + c % kBlock];
    }

 private:
    static constexpr size_t kBlock = 256;

    // Neighbours repeat (Han, Hangul, unassigned planes), so the last few are enough to look at.
    void add(const uint8_t* block) {
        const size_t blocks = values_.size() / kBlock;
        size_t same = blocks;
        for (size_t back = 1; back <= std::min<size_t>(blocks, 8) && same == blocks; ++back) {
            const uint8_t* other = values_.data() + (blocks - back) * kBlock;
            if (std::memcmp(other, block, kBlock) == 0) same = blocks - back;
        }
        if (same == blocks) values_.insert(values_.end(), block, block + kBlock);
        stage_.push_back(static_cast<uint16_t>(same));
    }

    std::vector<uint16_t> stage_;
    std::vector<uint8_t> values_;
};

}  // namespace edgeward
