// The sampler as Python holds it, for the bindings that take one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "sampling/sampler.h"

namespace edgeward::bindings {

// Scratch memory and history belong to one caller at a time; a second one is told so.
class InUse {
 public:
    explicit InUse(std::atomic_flag& flag) : flag_(flag) {
        if (flag_.test_and_set(std::memory_order_acquire)) {
            throw std::runtime_error(
                "this sampler is in use by another thread; make one sampler for each request");
        }
    }
    ~InUse() { flag_.clear(std::memory_order_release); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

 private:
    std::atomic_flag& flag_;
};

inline std::uint64_t checked_position(std::int64_t position) {
    if (position >= 0) return static_cast<std::uint64_t>(position);
    throw std::invalid_argument("position is " + std::to_string(position) +
                                "; it must be at least 0");
}

struct PySampler {
    PySampler(const sampling::Options& options, const sampling::Passes& passes)
        : sampler(options, passes) {}

    std::int64_t vocab_size() const { return sampler.options().vocab_size; }
    std::size_t tokens() const { return sampler.options().tokens(); }
    std::size_t mask_words() const { return (tokens() + 31) / 32; }

    sampling::Sampler sampler;
    std::atomic_flag in_use;
};

}  // namespace edgeward::bindings
