#include "tokenizer/json_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace edgeward::json {
namespace {

constexpr int kMaxPower = 308;

const std::array<double, kMaxPower + 1>& powers_of_ten() {
    static const auto powers = [] {
        std::array<double, kMaxPower + 1> made{};
        for (int i = 0; i <= kMaxPower; ++i) {
            const std::string_view digits = "1e";
            char text[8] = {digits[0], digits[1]};
            const char* end = std::to_chars(text + 2, text + sizeof text, i).ptr;
            std::from_chars(text, end, made[static_cast<size_t>(i)]);
        }
        return made;
    }();
    return powers;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits while the number fits 64 bits and skips those behind; returns how many of each.
struct Digits {
    int taken = 0;
    int skipped = 0;
};

Digits take_digits(std::string_view& text, uint64_t& significand) {
    Digits digits;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
        const auto digit = static_cast<uint64_t>(text[0] - '0');
        const bool fits = significand < UINT64_MAX / 10 ||
                          (significand == UINT64_MAX / 10 && digit <= UINT64_MAX % 10);
        if (digits.skipped > 0 || !fits) {
            ++digits.skipped;
        } else {
            significand = significand * 10 + digit;
            ++digits.taken;
        }
    }
    return digits;
}

int take_exponent(std::string_view text) {
    const bool negative = text[0] == '-';
    if (negative || text[0] == '+') text.remove_prefix(1);
    constexpr int kFar = 100000;  // beyond every double
    int exponent = 0;
    for (const char c : text) exponent = std::min(exponent * 10 + (c - '0'), kFar);
    return negative ? -exponent : exponent;
}

std::optional<double> scale(uint64_t significand, int exponent) {
    const auto& powers = powers_of_ten();
    auto value = static_cast<double>(significand);
    while (std::abs(exponent) > kMaxPower) {
        if (value == 0) return value;
        if (exponent > 0) return std::nullopt;
        value /= powers[kMaxPower];
        exponent += kMaxPower;
    }
    const double power = powers[static_cast<size_t>(std::abs(exponent))];
    value = exponent < 0 ? value / power : value * power;
    if (std::isinf(value)) return std::nullopt;
    return value;
}

}  // namespace

std::optional<double> reference_double(std::string_view digits) {
    const bool negative = digits[0] == '-';
    if (negative) digits.remove_prefix(1);
    uint64_t significand = 0;
    int exponent = take_digits(digits, significand).skipped;
    if (!digits.empty() && digits[0] == '.') {
        digits.remove_prefix(1);
        exponent -= take_digits(digits, significand).taken;
    }
    if (!digits.empty()) exponent += take_exponent(digits.substr(1));
    const std::optional<double> value = scale(significand, exponent);
    if (!value) return value;
    return negative ? -*value : *value;
}

}  // namespace edgeward::json
