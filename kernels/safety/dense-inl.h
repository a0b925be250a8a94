// Body of dense(), compiled once per instruction set: define EDGEWARD_DENSE_ISA, then include.
#include "safety/dense.h"
#include "simd.h"

namespace edgeward::safety::EDGEWARD_DENSE_ISA {
namespace {

using namespace simd;

static_assert(16 % kLanes == 0);

// Sixteen outputs of kRows rows: the sums stay in registers while the inputs go by.
template <std::size_t kRows>
inline void tile(const float* x, std::size_t x_stride, std::size_t inputs, const float* w,
                 std::size_t outputs, float* out, std::size_t out_stride) {
    constexpr std::size_t kVectors = 16 / kLanes;
    Floats sums[kRows][kVectors];
    for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[r][v] = load(out + r * out_stride + v * kLanes);
        }
    }
    for (std::size_t i = 0; i < inputs; ++i, w += outputs) {
        for (std::size_t r = 0; r < kRows; ++r) {
            const Floats one = Floats{} + x[r * x_stride + i];
            for (std::size_t v = 0; v < kVectors; ++v) {
                const Floats product = one * load(w + v * kLanes);
                sums[r][v] += product;
            }
        }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            store(out + r * out_stride + v * kLanes, sums[r][v]);
        }
    }
}

void dense(const float* x, std::size_t x_stride, std::size_t rows, std::size_t inputs,
           const float* w, std::size_t outputs, float* out, std::size_t out_stride) {
    constexpr std::size_t kRows = kLanes == 4 ? 2 : 4;
    for (; rows >= kRows; rows -= kRows, x += kRows * x_stride, out += kRows * out_stride) {
        for (std::size_t c = 0; c < outputs; c += 16) {
            tile<kRows>(x, x_stride, inputs, w + c, outputs, out + c, out_stride);
        }
    }
    for (; rows > 0; --rows, x += x_stride, out += out_stride) {
        for (std::size_t c = 0; c < outputs; c += 16) {
            tile<1>(x, x_stride, inputs, w + c, outputs, out + c, out_stride);
        }
    }
}

}  // namespace

const Dense kDense = dense;

}  // namespace edgeward::safety::EDGEWARD_DENSE_ISA
