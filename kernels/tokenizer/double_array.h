// A trie of byte strings with a number each, as a double array.
//
// Knows: one unit of eight bytes for each byte of a distinct prefix, found by one XOR and one
// comparison. Immutable. Does not know: what the numbers mean.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/flat_array.h"

namespace edgeward {

class DoubleArray {
 public:
    static constexpr uint32_t kNone = (1u << 24) - 1;  // no string ends here

    DoubleArray() = default;
    // Strings in ascending order of their bytes, each once, with numbers below kNone. An empty
    // string is left out. Throws std::length_error when they need more than 2^30 units.
    explicit DoubleArray(std::span<const std::pair<std::string_view, uint32_t>> strings);

    // See WordTable::visit. check() looks at every unit; numbers must be below `end_number`.
    template <class Visit>
    void visit(Visit&& visit) {
        visit(root_);
        visit(units_);
    }
    void check(uint32_t end_number) const;

    // A place in the trie, from the root on.
    class Walk {
     public:
        explicit Walk(const DoubleArray& trie) : units_(trie.units_.data()), base_(trie.root_) {}
        // Moves along `byte`; false, and no further use, if no string goes there.
        bool step(unsigned char byte) {
            const uint64_t unit = units_[base_ ^ byte];
            base_ = static_cast<uint32_t>(unit >> 33);
            number_ = static_cast<uint32_t>(unit >> 9) & kNone;
            return (unit & 0x1FF) == (byte | kUsed);
        }
        // Of the string that ends here, or kNone.
        uint32_t number() const { return number_; }

     private:
        const uint64_t* units_;
        uint32_t base_;
        uint32_t number_ = kNone;
    };

 private:
    friend class DoubleArrayBuilder;
    // bits 0..7 the byte that leads here, 8 used, 9..32 the number, 33.. the base of what follows
    static constexpr uint64_t kUsed = 1 << 8;
    // Units 0..255 stay free: the base of everything that nothing follows.
    FlatArray<uint64_t> units_ = none();
    uint32_t root_ = 0;

    static FlatArray<uint64_t> none() {
        FlatArray<uint64_t> units;
        units.resize(256, 0);
        return units;
    }
};

}  // namespace edgeward
