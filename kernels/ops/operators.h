// The arithmetic of a decoder block, one set of functions an instruction set.
//
// Knows: packed weights, rows of activations, caches. Does not know: threads (every function works
// on the range it is given), models, graphs.
//
// Reproducible: the result of a row depends on nothing but that row, the weights and the cache. Not
// on the other rows or their number, not on the ranges that threads are given, not on the
// instruction set: all of them do the same float operations in the same order, bit for bit (NaNs
// may differ in their payload and zeros in their sign). What holds that together: lanes are output
// rows, dimensions or positions, never parts of one sum; integer sums are exact; a sum over 16
// lanes is folded in halves; fused multiply-adds are explicit.
//
// No function allocates or throws. Shapes are the caller's duty (check_* of checks.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.h"
#include "ops/attention.h"
#include "ops/packed_matrix.h"
#include "ops/quantized_rows.h"

namespace edgeward::ops {

enum class Store : std::uint32_t { kSet = 0, kAdd = 1 };  // out = sum, out = out + sum
enum class Activation : std::uint32_t { kSilu = 0, kGeluTanh = 1 };
enum class Rotary : std::uint32_t { kHalves = 0, kPairs = 1 };  // (i, i + n/2), (2i, 2i + 1)

struct Operators {
    // out[t * out_stride + r] = sum over inputs of weight(r, i) * x(t, i), for all rows t of x and
    // the output rows r of groups [first, last) that the matrix has. x.cols == matrix.cols.
    void (*multiply)(const PackedMatrix& matrix, const QuantizedRows& x, std::size_t first_group,
                     std::size_t last_group, Store store, float* out, std::size_t out_stride);

    // act(gate x) * (up x), quantized into the blocks [first, last) of `out` (32 columns each), as
    // multiply, gate and quantize_row one after the other would. gate.rows == up.rows == out.cols,
    // a multiple of 32; out.rows == x.rows.
    void (*multiply_gated)(const PackedMatrix& gate, const PackedMatrix& up, const QuantizedRows& x,
                           Activation activation, std::size_t first_block, std::size_t last_block,
                           const QuantizedRows& out);

    // Row `row` of `out` from out.cols floats: value = round(x * 127 / highest magnitude of the
    // block), ties to even. A block whose highest magnitude is below 1e-30 becomes zeros; one with
    // a NaN or an infinity makes every result of its row NaN.
    void (*quantize_row)(const float* x, const QuantizedRows& out, std::size_t row);

    // out[i] = x[i] / sqrt(mean of squares + epsilon) * weight[i]. In place is allowed.
    void (*rms_norm)(const float* x, const float* weight, float epsilon, std::size_t n, float* out);

    // Turns one head of n values in place; cosines and sines have n / 2 entries. n % 32 == 0.
    void (*rotate)(Rotary rotary, const float* cosines, const float* sines, std::size_t n,
                   float* head);

    // out[i] = act(gate[i]) * up[i]. In place is allowed. (x, y are finite or the result is NaN.)
    void (*gate)(Activation activation, const float* gate, const float* up, std::size_t n,
                 float* out);

    // y[i] += x[i]
    void (*add)(const float* x, std::size_t n, float* y);

    // Stores one position of one kv head, head_dim floats each; rounds to nearest even.
    void (*append)(const KvCache& cache, std::size_t kv_head, std::size_t position,
                   const float* key, const float* value);

    // Units [first, last) of attention.units(): each writes its rows of attention.out.
    void (*attend)(const Attention& attention, std::size_t first_unit, std::size_t last_unit);

    // The same in two steps for few tokens over a long context: units [first, last) of
    // attention.split_units() write into `scratch` (split_floats() floats, aligned to 64); when all
    // are done, units [first, last) of attention.units() are merged into attention.out.
    void (*attend_split)(const Attention& attention, std::size_t first_unit, std::size_t last_unit,
                         float* scratch);
    void (*attend_merge)(const Attention& attention, std::size_t first_unit, std::size_t last_unit,
                         const float* scratch);

    // The `count` largest of x[0..n) with ids from first_id on, largest first, the lower id first
    // among equals; NaN ranks lowest. Returns how many there are: min(count, n).
    std::size_t (*top)(const float* x, std::size_t n, std::uint32_t first_id, std::size_t count,
                       std::uint32_t* ids, float* values);
};

// Those built for `isa`, which must be one of supported_isas().
const Operators& operators_for(Isa isa);

namespace generic {
extern const Operators kOperators;
}
namespace avx2 {
extern const Operators kOperators;
}
namespace avxvnni {
extern const Operators kOperators;
}
namespace avx512 {
extern const Operators kOperators;
}
namespace neon {
extern const Operators kOperators;
}
namespace i8mm {
extern const Operators kOperators;
}

}  // namespace edgeward::ops
