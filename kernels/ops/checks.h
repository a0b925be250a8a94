// What the operators take, checked once before they run: they themselves check nothing.
//
// Knows: shapes and their limits. Does not know: contents.
#pragma once

#include "ops/attention.h"
#include "ops/packed_matrix.h"
#include "ops/quantized_rows.h"

namespace edgeward::ops {

// All throw std::invalid_argument with the value and what it must be.

// data aligned to 64, a known format, rows and cols as packed_bytes() takes them.
void check_matrix(const PackedMatrix& matrix);

// For multiply: the same number of inputs on both sides.
void check_multiply(const PackedMatrix& matrix, const QuantizedRows& x);

// For multiply_gated: two matrices of the same shape, rows % 32 == 0.
void check_gated(const PackedMatrix& gate, const PackedMatrix& up);

// head_dim a multiple of 16 in 16 ... 512, context one of 64 (whole segments), kv_heads positive,
// pointers there.
void check_cache(const KvCache& cache);

// heads a multiple of kv_heads, positions within the context, strides of at least heads * head_dim,
// a finite scale, a soft cap that is finite and not negative.
void check_attention(const Attention& attention);

}  // namespace edgeward::ops
