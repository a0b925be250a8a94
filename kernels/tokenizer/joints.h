// Which characters stand side by side inside some token. Where two meet that never do, no merge
// reaches across, and a text can be cut there before it is merged: words become short, and the
// same ones come again.
//
// Knows: pairs of characters; it may say of a pair that it occurs when it does not (a filter of
// one bit), never the other way. Does not know: rules, unknown characters.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace edgeward {

class Joints {
 public:
    explicit Joints(size_t tokens);

    void learn(std::string_view token);

    // Whether a token holds U+2581 behind another character; exact.
    bool before_mark() const { return before_mark_; }

    bool joined(char32_t left, char32_t right) const {
        if (left < 128 && right < 128) return (ascii_[left][right >> 6] >> (right & 63) & 1) != 0;
        const uint32_t at = place(left, right);
        return (others_[at >> 6] >> (at & 63) & 1) != 0;
    }

 private:
    uint32_t place(char32_t left, char32_t right) const {
        const uint64_t pair = uint64_t{left} << 21 | right;
        return static_cast<uint32_t>((pair * 0x9E3779B97F4A7C15u) >> shift_);
    }

    std::array<std::array<uint64_t, 2>, 128> ascii_{};
    std::vector<uint64_t> others_;
    int shift_;
    bool before_mark_ = false;
};

}  // namespace edgeward
