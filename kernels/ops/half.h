// float16 (IEEE 754 binary16) and float32, one number at a time, without the processor's help.
//
// Knows: the two formats. Does not know: arrays (lanes-inl.h).
#pragma once

#include <bit>
#include <cstdint>

namespace edgeward::ops {

// Exact; a NaN stays one.
constexpr float float_of(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    const std::uint32_t rest = half & 0x7fffu;
    if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    // Exponents differ by 112; the product is exact and makes denormals normal.
    const float magnitude = std::bit_cast<float>(rest << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

// Rounds to nearest, ties to even; too large becomes infinite, a NaN a quiet NaN.
constexpr std::uint16_t half_of(float number) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(number);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    const std::uint32_t rest = bits & 0x7fffffffu;
    if (rest > 0x7f800000u) return sign | 0x7e00u | static_cast<std::uint16_t>(rest >> 13 & 0x3ffu);
    if (rest >= 0x477ff000u) return sign | 0x7c00u;
    if (rest < 0x38800000u) {
        // Below the least normal half: the addition rounds at 2^-24, the unit of denormals.
        const float shifted = std::bit_cast<float>(rest) + 0.5f;
        return sign |
               static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
    }
    const std::uint32_t odd = rest >> 13 & 1u;
    return sign | static_cast<std::uint16_t>((rest - 0x38000000u + 0xfffu + odd) >> 13);
}

}  // namespace edgeward::ops
