// How quantized weights lie in memory: formats and their blocks.
//
// Knows: bits, offsets, scales and minima of a format, the bytes of a block. Does not know:
// arithmetic, files.
//
// 16 consecutive output rows form a *group*; a group is stored block after block, a block being 32
// consecutive inputs of its 16 rows. The same bytes serve every instruction set. Of a block come
// first the codes: a *quad* is 64 bytes, byte 4 * row + i holding input 4 * quad + i of `row`, so
// that one dot-product instruction with a broadcast of four activations serves 16 rows without a
// horizontal sum. Eight-bit codes take eight quads. Four-bit codes take four: the low nibbles are
// inputs 0-15, the high ones inputs 16-31. Then 16 scales, one a row (for formats with a scale per
// 16 inputs: 16 for the first half, 16 for the second), then 16 minima where the format has them.
// Rows behind the last are zero. The last block of a group is followed by the next group's first.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeward::ops {

constexpr std::size_t kGroup = 16;  // output rows
constexpr std::size_t kBlock = 32;  // inputs
constexpr std::size_t kQuad = 4;    // inputs that one dot-product step takes

// weight = scale * (code - offset) + minimum. The numbers are part of cache files: never reuse one.
enum class Format : std::uint32_t {
    kQ4_0 = 0,  // 4 bits, offset 8, float16 scale: GGUF Q4_0
    kQ4_1 = 1,  // 4 bits, float16 scale and minimum: GGUF Q4_1
    kQ8_0 = 2,  // 8 bits, offset 128, float16 scale: GGUF Q8_0, Q5_0
    kQ8_1 = 3,  // 8 bits, offset 128, float16 scale and minimum: GGUF Q5_1
    kQ4_K = 4,  // 4 bits, float32 scale and minimum: GGUF Q4_K
    kQ5_K = 5,  // 8 bits, offset 128, float32 scale and minimum: GGUF Q5_K
    kQ6_K = 6,  // 8 bits, offset 128, float32 scale per 16 inputs: GGUF Q6_K, Q3_K
};
constexpr std::uint32_t kFormats = 7;

struct Layout {
    int bits;                 // 4 or 8
    int offset;               // subtracted from a code: 0, 8 or 128
    std::size_t scale_bytes;  // 2: float16, 4: float32; minima alike
    std::size_t scales;       // a row and block: 1, or 2 (one for each half)
    bool minimum;

    constexpr std::size_t code_bytes() const { return kGroup * kBlock * bits / 8; }
    constexpr std::size_t block_bytes() const {
        return code_bytes() + kGroup * scale_bytes * (scales + (minimum ? 1 : 0));
    }
    // Of the values given to pack_matrix, which are code - offset.
    constexpr int lowest() const { return -offset; }
    constexpr int highest() const { return (1 << bits) - 1 - offset; }
};

constexpr Layout layout_of(Format format) {
    switch (format) {
        case Format::kQ4_0:
            return {4, 8, 2, 1, false};
        case Format::kQ4_1:
            return {4, 0, 2, 1, true};
        case Format::kQ8_0:
            return {8, 128, 2, 1, false};
        case Format::kQ8_1:
            return {8, 128, 2, 1, true};
        case Format::kQ4_K:
            return {4, 0, 4, 1, true};
        case Format::kQ5_K:
            return {8, 128, 4, 1, true};
        case Format::kQ6_K:
            return {8, 128, 4, 2, false};
    }
    return {8, 128, 2, 1, false};
}

constexpr std::size_t groups_of(std::size_t rows) { return (rows + kGroup - 1) / kGroup; }

}  // namespace edgeward::ops
