// A quantized matrix in the layout of format.h, as a view over bytes that someone else owns.
//
// Knows: rows, columns, sizes, packing from plain arrays, reading one row back. Does not know:
// files, threads, multiplication.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/format.h"

namespace edgeward::ops {

// y = W x, W being rows x cols. `data` has packed_bytes() bytes and is aligned to 64, so that a
// mapped file can serve; nothing is read behind them.
struct PackedMatrix {
    Format format = Format::kQ8_0;
    std::size_t rows = 0, cols = 0;
    const std::uint8_t* data = nullptr;

    std::size_t groups() const { return groups_of(rows); }
    std::size_t blocks() const { return cols / kBlock; }
    std::size_t group_bytes() const { return blocks() * layout_of(format).block_bytes(); }
    const std::uint8_t* group(std::size_t index) const { return data + index * group_bytes(); }
};

// Of the whole matrix. Throws std::invalid_argument for an unknown format, no rows, cols that are
// no multiple of 32, or a size that does not fit an address.
std::size_t packed_bytes(Format format, std::size_t rows, std::size_t cols);

// Writes packed_bytes() bytes to `out`.
//   values   int8 [rows][cols], in [lowest(), highest()] of the layout: what the scale multiplies
//   scales   float [rows][cols / 32], or [rows][cols / 16] where the format has one per 16 inputs
//   minima   float [rows][cols / 32], null where the format has none
// Throws std::invalid_argument where a value is out of the format's range, or where a scale or
// minimum is not finite or not exactly a float16 in a format that stores them so.
void pack_matrix(Format format, std::size_t rows, std::size_t cols, const std::int8_t* values,
                 const float* scales, const float* minima, std::uint8_t* out);

// Weights of one row as floats (an embedding tied to the head): float(value) * scale + minimum, the
// product rounded first.
void unpack_row(const PackedMatrix& matrix, std::size_t row, float* out);

}  // namespace edgeward::ops
