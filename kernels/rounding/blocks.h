// Rounding blocks of weights to codes, scales and minima: the inner loops of quantization.
//
// Knows arrays and numbers. Does not know where weights or their costs come from. A block is 32
// columns of a matrix by all of its rows, stored column by column: [32][rows]. Rows do not touch
// each other, so any split of the rows gives the same numbers.
#pragma once

#include <cstddef>

namespace edgeward::rounding {

constexpr std::size_t kBlock = 32;

// weight = scale * code + minimum with whole codes in low..high. `minimum`: there is one, otherwise
// it is 0. `half`: scale and minimum are kept as float16.
struct Range {
    float low;
    float high;
    bool minimum;
    bool half;
};

// Scales and minima [rows] of the block x with the least error weighted by weights [32], of about a
// dozen tried: each rounds the block and takes the least squares scale (and minimum) of its codes.
void fit_block(const float* x, std::size_t rows, const float* weights, const Range& range,
               float* scales, float* minima);

// Codes of x, column by column; each column's error divided by upper[j][j] goes to errors, and
// times upper[j][k] off the columns k behind it in the block. `upper` is [32][32]; x is
// overwritten.
void feed_block(float* x, std::size_t rows, const float* upper, const Range& range,
                const float* scales, const float* minima, float* codes, float* errors);

// One step of coordinate descent on (w - q) h (w - q)^T with slope = h (w - q)^T: first scale and
// minimum, then each code. All but h [32][32] and range is updated; what q changed by goes to
// `change` [32][rows].
void descend_block(float* codes, std::size_t rows, const float* h, const Range& range, float* slope,
                   float* scales, float* minima, float* change);

}  // namespace edgeward::rounding
