#include "tokenizer/double_array.h"

#include <stdexcept>
#include <vector>

namespace edgeward {

// Places the children of one node after the other. Free units of the last few blocks form a ring;
// older ones are given up, so a place is found in bounded time.
class DoubleArrayBuilder {
 public:
    using Strings = std::span<const std::pair<std::string_view, uint32_t>>;

    DoubleArrayBuilder(DoubleArray& trie, Strings strings) : trie_(trie), strings_(strings) {
        used_base_.resize(kBlock);
        next_.resize(kBlock);
        previous_.resize(kBlock);
    }

    void build() {
        struct Node {
            size_t begin;
            size_t end;  // of its strings
            size_t depth;
            uint32_t unit;  // whose base it needs; 0 for the root
        };
        size_t first = 0;
        while (first < strings_.size() && strings_[first].first.empty()) ++first;
        if (first == strings_.size()) return;
        std::vector<Node> nodes{{first, strings_.size(), 0, 0}};
        std::vector<size_t> starts;  // of the strings below each child
        while (!nodes.empty()) {
            const Node node = nodes.back();
            nodes.pop_back();
            labels_.clear();
            starts.clear();
            for (size_t i = node.begin; i < node.end; ++i) {
                const auto byte = static_cast<unsigned char>(strings_[i].first[node.depth]);
                if (!labels_.empty() && labels_.back() == byte) continue;
                labels_.push_back(byte);
                starts.push_back(i);
            }
            starts.push_back(node.end);
            const uint32_t base = place();
            if (node.unit == 0) {
                trie_.root_ = base;
            } else {
                units_[node.unit] |= uint64_t{base} << 33;
            }
            for (size_t i = 0; i < labels_.size(); ++i) {
                const uint32_t unit = base ^ labels_[i];
                size_t begin = starts[i];
                uint32_t number = DoubleArray::kNone;
                if (strings_[begin].first.size() == node.depth + 1) {
                    number = strings_[begin].second;
                    ++begin;
                }
                units_[unit] = DoubleArray::kUsed | labels_[i] | uint64_t{number} << 9;
                if (begin < starts[i + 1]) {
                    nodes.push_back({begin, starts[i + 1], node.depth + 1, unit});
                }
            }
        }
        trie_.units_ = {};
        trie_.units_.append(units_);
    }

 private:
    static constexpr size_t kBlock = 256;
    static constexpr size_t kOpenBlocks = 16;
    static constexpr size_t kMostUnits = size_t{1} << 30;

    // A base at which all labels_ are free; they are taken.
    uint32_t place() {
        for (uint32_t at = head_; at != 0;) {
            if (fits(at ^ labels_[0])) return take(at ^ labels_[0]);
            at = next_[at] == head_ ? 0 : next_[at];
        }
        add_block();
        const auto base = static_cast<uint32_t>(units_.size() - kBlock);
        return take(base);
    }

    bool fits(uint32_t base) const {
        if (used_base_[base]) return false;
        for (const unsigned char label : labels_) {
            if (units_[base ^ label] != 0) return false;
        }
        return true;
    }

    uint32_t take(uint32_t base) {
        used_base_[base] = true;
        for (const unsigned char label : labels_) {
            units_[base ^ label] = DoubleArray::kUsed;
            unlink(base ^ label);
        }
        return base;
    }

    void add_block() {
        const size_t begin = units_.size();
        if (begin + kBlock > kMostUnits) throw std::length_error("the vocabulary is too large");
        units_.resize(begin + kBlock);
        used_base_.resize(begin + kBlock);
        next_.resize(begin + kBlock);
        previous_.resize(begin + kBlock);
        for (size_t i = begin; i < begin + kBlock; ++i) link(static_cast<uint32_t>(i));
        if (begin <= kBlock * kOpenBlocks) return;
        const size_t old = begin - kBlock * kOpenBlocks;
        for (size_t i = old; i < old + kBlock; ++i) {
            if (units_[i] == 0) unlink(static_cast<uint32_t>(i));
        }
    }

    void link(uint32_t unit) {
        if (head_ == 0) {
            head_ = next_[unit] = previous_[unit] = unit;
            return;
        }
        const uint32_t last = previous_[head_];
        next_[last] = unit;
        previous_[unit] = last;
        next_[unit] = head_;
        previous_[head_] = unit;
    }

    void unlink(uint32_t unit) {
        if (next_[unit] == unit) {
            head_ = 0;
            return;
        }
        next_[previous_[unit]] = next_[unit];
        previous_[next_[unit]] = previous_[unit];
        if (head_ == unit) head_ = next_[unit];
    }

    DoubleArray& trie_;
    Strings strings_;
    std::vector<uint64_t> units_ = std::vector<uint64_t>(kBlock);
    std::vector<unsigned char> labels_;
    std::vector<bool> used_base_;
    std::vector<uint32_t> next_;
    std::vector<uint32_t> previous_;
    uint32_t head_ = 0;  // of the ring of free units; 0 when empty
};

DoubleArray::DoubleArray(std::span<const std::pair<std::string_view, uint32_t>> strings) {
    DoubleArrayBuilder(*this, strings).build();
}

void DoubleArray::check(uint32_t end_number) const {
    // A step goes from a base to any of the 256 units of its block.
    bool good = units_.size() >= 256 && (root_ | 0xFF) < units_.size();
    for (const uint64_t unit : units_.span()) {
        const auto number = static_cast<uint32_t>(unit >> 9) & kNone;
        good = good && (unit >> 33 | 0xFF) < units_.size() &&
               (number < end_number || number == kNone || !(unit & kUsed));
    }
    if (!good) {
        throw std::invalid_argument(
            "the trie of tokens names no token, or no place; make the compiled vocabulary anew");
    }
}

}  // namespace edgeward
