// Activations as int8 with a scale per 32 values, the right side of a multiplication.
//
// Knows: the layout of tiles, sizes. Does not know: how values are rounded (rows-inl.h), threads.
//
// Rows are stored in tiles of 16 (the last one narrower), inputs interleaved so that a kernel finds
// the same four inputs of all its rows side by side: of a tile of `width` rows, the four bytes of
// row t, block b, quad q begin at ((b * 8 + q) * width + t) * 4. One row alone is therefore a plain
// array. The numbers of block b lie at b * width + t of the tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/format.h"

namespace edgeward::ops {

constexpr std::size_t kTile = 16;  // rows of activations

// A view; `rows` and `cols` may be smaller than what the memory was made for.
struct QuantizedRows {
    std::size_t rows = 0, cols = 0;
    std::int8_t* values = nullptr;    // -127 ... 127
    float* scales = nullptr;          // highest magnitude / 127; NaN where the block is not finite
    float* sums = nullptr;            // scale * sum of the values: what a minimum is multiplied by
    std::int32_t* offsets = nullptr;  // three a block: -8 and -128 times the sum of the values,
                                      // -128 times the sum of the first half

    std::size_t blocks() const { return cols / kBlock; }
    std::size_t tiles() const { return (rows + kTile - 1) / kTile; }
    std::size_t width(std::size_t tile) const {
        return rows - tile * kTile < kTile ? rows - tile * kTile : kTile;
    }
    std::int8_t* tile_values(std::size_t tile) const { return values + tile * kTile * cols; }
    float* tile_scales(std::size_t tile) const { return scales + tile * kTile * blocks(); }
    float* tile_sums(std::size_t tile) const { return sums + tile * kTile * blocks(); }
    // [block][kind of the three][width]
    std::int32_t* tile_offsets(std::size_t tile) const {
        return offsets + tile * kTile * blocks() * 3;
    }
};

// Bytes that `rows` rows of `cols` values need; cols must be a multiple of 32.
constexpr std::size_t quantized_bytes(std::size_t rows, std::size_t cols) {
    const std::size_t numbers = rows * (cols / kBlock) * 5 * sizeof(float);
    return (rows * cols + numbers + 63) / 64 * 64;
}

// A view over quantized_bytes() bytes aligned to 64.
inline QuantizedRows quantized_view(void* memory, std::size_t rows, std::size_t cols) {
    QuantizedRows view{rows, cols, static_cast<std::int8_t*>(memory), nullptr, nullptr, nullptr};
    const std::size_t numbers = rows * (cols / kBlock);
    view.scales = reinterpret_cast<float*>(view.values + rows * cols);
    view.sums = view.scales + numbers;
    view.offsets = reinterpret_cast<std::int32_t*>(view.sums + numbers);
    return view;
}

}  // namespace edgeward::ops
