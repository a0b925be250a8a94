// The passes over many logits that every sampler is made of, one set a instruction set.
//
// Knows: arrays, blocks of kBlock values, weights. Does not know: what a sampler is.
//
// A *weight* is a probability up to a common factor, as an integer: round(2^30 * exp(z)), z <= 0
// being the scaled logit less the highest. Sums of integers do not depend on their order, so every
// instruction set, batch and device that computes the same weights draws the same token. The
// resolution is 2^-31 of the highest probability; the exponential itself is within 5e-7.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu.h"
#include "sampling/weight.h"

namespace edgeward::sampling {

constexpr std::size_t kBlock = 256;

constexpr std::size_t blocks_of(std::size_t n) { return (n + kBlock - 1) / kBlock; }
// Arrays of weights are filled with zeros up to a whole block.
constexpr std::size_t padded(std::size_t n) { return blocks_of(n) * kBlock; }

// Values from low to high, both included; none where low > high.
template <typename Value>
struct Interval {
    Value low, high;
};

struct Between {
    std::size_t count = 0;
    std::uint64_t inner_mass = 0;
};

struct Passes {
    // Writes the highest of each block of x[0..n). Returns true when x may hold a NaN (a NaN never
    // goes unnoticed; very large finite values can raise a false alarm).
    bool (*block_max)(const float* x, std::size_t n, float* highest);

    // Writes index and value of every x >= threshold > -inf, in order, looking only into blocks
    // whose `highest` reaches it. Room for every value of those blocks is needed. Returns the
    // count.
    std::size_t (*collect)(const float* x, std::size_t n, const float* highest, float threshold,
                           std::uint32_t* ids, float* values);

    // weights[i] = round(2^30 * 2^((x[i] - highest) * scale)) where x[i] >= floor, else 0; zeros up
    // to padded(n); the sum of each block. Returns the sum of all. Needs x[i] <= highest < inf.
    std::uint64_t (*weigh)(const float* x, std::size_t n, float highest, float scale, float floor,
                           std::uint32_t* weights, std::uint64_t* block_mass);

    // Sums the weights above `threshold` (signed, so that -1 means all) of whole blocks.
    std::uint64_t (*mass_above)(const std::uint32_t* weights, std::size_t blocks,
                                std::int32_t threshold, std::uint64_t* block_mass);

    // Needs x[i] <= highest < inf. Each block is added in eight columns, then the columns, then
    // the blocks in their order: the same sum on every machine.
    Moments (*moments)(const float* x, std::size_t n, float highest);

    // out[i] = x[i] where bit i % 32 of allowed[i / 32] is set, else -inf.
    void (*keep_allowed)(const float* x, std::size_t n, const std::uint32_t* allowed, float* out);

    // PowerSum of weights and of the powers (x[i] - highest) * scale that weigh() made them of.
    PowerSum (*power_sum)(const float* x, std::size_t n, float highest, float scale,
                          const std::uint32_t* weights, const std::uint64_t* block_mass);

    // The sum of the weights whose `line` lies in the interval. The line: values, or the weights.
    template <typename Value>
    using MassWithin = std::uint64_t (*)(const Value* line, const std::uint32_t* weights,
                                         std::size_t n, Interval<Value> interval);
    MassWithin<float> mass_within_values;
    MassWithin<std::uint32_t> mass_within_weights;

    // Sets the weights to zero whose `line` is not in `outer`, sums the blocks, and writes the
    // indices of those left that are not in `inner`, in order. Needs the blocks' sums, and room for
    // n indices.
    template <typename Value>
    using Narrow = Between (*)(const Value* line, std::size_t n, Interval<Value> outer,
                               Interval<Value> inner, std::uint32_t* weights,
                               std::uint64_t* block_mass, std::uint32_t* ids);
    Narrow<float> narrow_values;
    Narrow<std::uint32_t> narrow_weights;
};

// Those built for `isa`, which must be one of supported_isas().
const Passes& passes_for(Isa isa);

namespace generic {
extern const Passes kPasses;
}
namespace avx2 {
extern const Passes kPasses;
}
namespace avx512 {
extern const Passes kPasses;
}
namespace neon {
extern const Passes kPasses;
}

}  // namespace edgeward::sampling
