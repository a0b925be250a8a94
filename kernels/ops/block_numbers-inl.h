// What every dot-product body needs beside the codes: a tile's rows, a block's scales and offsets.
//
// Knows: the layouts of format.h and quantized_rows.h. Does not know: dot products.
#pragma once

#include "ops/lanes-inl.h"
#include "ops/operators.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

// Rows of a tile from some row on; everything of row t is t further.
struct TileRows {
    const std::int8_t* values;
    const float *scales, *sums;
    const std::int32_t* offsets;
    std::size_t width;

    TileRows(const QuantizedRows& x, std::size_t tile, std::size_t row)
        : values(x.tile_values(tile) + row * kQuad),
          scales(x.tile_scales(tile) + row),
          sums(x.tile_sums(tile) + row),
          offsets(x.tile_offsets(tile) + row),
          width(x.width(tile)) {}

    const std::int8_t* quad(std::size_t block, std::size_t quad) const {
        return values + (block * 8 + quad) * width * kQuad;
    }
};

// What the integer sum of a block starts with, for its codes are not negative.
template <Format F>
inline std::int32_t first_offset(const TileRows& x, std::size_t block, std::size_t t) {
    constexpr Layout kLayout = layout_of(F);
    if constexpr (kLayout.offset == 0) return 0;
    constexpr std::size_t kKind = kLayout.scales == 2 ? 2 : kLayout.offset == 8 ? 0 : 1;
    return x.offsets[(block * 3 + kKind) * x.width + t];
}

// The same for the second half, in formats with two scales a block.
template <Format F>
inline std::int32_t second_offset(const TileRows& x, std::size_t block, std::size_t t) {
    if constexpr (layout_of(F).scales == 1) return 0;
    const std::int32_t* offsets = x.offsets + block * 3 * x.width + t;
    return offsets[x.width] - offsets[2 * x.width];
}

// Scales and minima of 16 rows.
template <Format F>
struct BlockNumbers {
    Wide scale[2], minimum;

    explicit BlockNumbers(const std::uint8_t* from) {
        constexpr Layout kLayout = layout_of(F);
        const auto next = [&] {
            const std::uint8_t* at = from;
            from += kGroup * kLayout.scale_bytes;
            if constexpr (kLayout.scale_bytes == 2) {
                return lanes::load_halves(reinterpret_cast<const std::uint16_t*>(at));
            } else {
                return lanes::load(reinterpret_cast<const float*>(at));
            }
        };
        scale[0] = next();
        if constexpr (kLayout.scales == 2) scale[1] = next();
        if constexpr (kLayout.minimum) minimum = next();
    }
};

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
