// Packed weights times quantized rows, over ranges of groups.
//
// Knows: how groups and tiles are walked, where results go. Does not know: the instructions of a
// dot product (dot_*-inl.h). Part of operators-inl.h.
#pragma once

#include <array>
#include <utility>

#include "ops/rows-inl.h"
#if defined(__AVX512VNNI__)
#include "ops/dot_avx512-inl.h"
#elif defined(__AVX2__)
#include "ops/dot_avx2-inl.h"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "ops/dot_neon-inl.h"
#else
#include "ops/dot_generic-inl.h"
#endif

namespace edgeward::ops::EDGEWARD_OPS_ISA {
namespace {

// multiply_group for 1 to kMaxRows rows.
using GroupFunction = void (*)(const std::uint8_t*, std::size_t, const TileRows&, float*);
using GroupFunctions = std::array<GroupFunction, kMaxRows>;

template <Format F, std::size_t... T>
constexpr GroupFunctions group_functions(std::index_sequence<T...>) {
    return {&multiply_group<F, T + 1>...};
}

const GroupFunctions& functions_of(Format format) {
    static constexpr auto kRows = std::make_index_sequence<kMaxRows>{};
    static constexpr std::array<GroupFunctions, kFormats> kAll = {
        group_functions<Format::kQ4_0>(kRows), group_functions<Format::kQ4_1>(kRows),
        group_functions<Format::kQ8_0>(kRows), group_functions<Format::kQ8_1>(kRows),
        group_functions<Format::kQ4_K>(kRows), group_functions<Format::kQ5_K>(kRows),
        group_functions<Format::kQ6_K>(kRows)};
    return kAll[static_cast<std::size_t>(format)];
}

// All rows of a tile against one group: out[16 t + r].
void multiply_tile(const PackedMatrix& matrix, std::size_t group, const QuantizedRows& x,
                   std::size_t tile, float* out) {
    const GroupFunctions& functions = functions_of(matrix.format);
    const std::size_t width = x.width(tile);
    for (std::size_t t = 0; t < width; t += kMaxRows) {
        const std::size_t rows = width - t < kMaxRows ? width - t : kMaxRows;
        functions[rows - 1](matrix.group(group), matrix.blocks(), TileRows(x, tile, t),
                            out + t * kGroup);
    }
}

void multiply(const PackedMatrix& matrix, const QuantizedRows& x, std::size_t first_group,
              std::size_t last_group, Store store, float* out, std::size_t out_stride) {
    alignas(64) float sums[kTile * kGroup];
    for (std::size_t group = first_group; group < last_group; ++group) {
        const std::size_t row = group * kGroup;
        const std::size_t rows = matrix.rows - row < kGroup ? matrix.rows - row : kGroup;
        for (std::size_t tile = 0; tile < x.tiles(); ++tile) {
            multiply_tile(matrix, group, x, tile, sums);
            for (std::size_t t = 0; t < x.width(tile); ++t) {
                float* to = out + (tile * kTile + t) * out_stride + row;
                Wide sum = lanes::load(sums + t * kGroup);
                if (rows == kGroup) {
                    if (store == Store::kAdd) sum = lanes::load(to) + sum;
                    lanes::store(to, sum);
                } else {
                    if (store == Store::kAdd) sum = lanes::load_part(to, rows) + sum;
                    lanes::store_part(to, rows, sum);
                }
            }
        }
    }
}

void multiply_gated(const PackedMatrix& gate_matrix, const PackedMatrix& up_matrix,
                    const QuantizedRows& x, Activation activation, std::size_t first_block,
                    std::size_t last_block, const QuantizedRows& out) {
    constexpr std::size_t kHalves = kBlock / kGroup;
    alignas(64) float gates[kHalves][kTile * kGroup], ups[kHalves][kTile * kGroup];
    alignas(64) float rows[kTile * kBlock];
    Blocks blocks;
    for (std::size_t b = first_block; b < last_block; ++b) {
        for (std::size_t tile = 0; tile < x.tiles(); ++tile) {
            for (std::size_t half = 0; half < kHalves; ++half) {
                multiply_tile(gate_matrix, b * kHalves + half, x, tile, gates[half]);
                multiply_tile(up_matrix, b * kHalves + half, x, tile, ups[half]);
            }
            const std::size_t width = x.width(tile);
            for (std::size_t t = 0; t < width; ++t) {
                for (std::size_t half = 0; half < kHalves; ++half) {
                    gate(activation, gates[half] + t * kGroup, ups[half] + t * kGroup, kGroup,
                         rows + t * kBlock + half * kGroup);
                }
            }
            // One block of each row, as if they were the blocks of one.
            quantize_blocks(rows, width, blocks);
            place_column(blocks, out, tile, b);
        }
    }
}

}  // namespace
}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
