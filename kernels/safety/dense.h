// The one inner loop of the encoder: rows times a matrix, added to what is there.
//
// Knows: floats. Does not know: what they mean. Each output adds its inputs one after the other,
// product and sum rounded apart, so that every instruction set and every number of rows gives the
// same bits.
#pragma once

#include <cstddef>

#include "cpu.h"

namespace edgeward::safety {

// out[r][c] += x[r][0] * w[0][c], then x[r][1] * w[1][c] ...; w is [inputs][outputs], outputs a
// multiple of 16. out_stride and x_stride are the floats from one row to the next.
using Dense = void (*)(const float* x, std::size_t x_stride, std::size_t rows, std::size_t inputs,
                       const float* w, std::size_t outputs, float* out, std::size_t out_stride);

// That built for `isa`, which must be one of supported_isas().
Dense dense_for(Isa isa);

namespace generic {
extern const Dense kDense;
}
namespace avx2 {
extern const Dense kDense;
}
namespace avx512 {
extern const Dense kDense;
}
namespace neon {
extern const Dense kDense;
}

}  // namespace edgeward::safety
