// Turns samplers into the plan of one device step, and the device's answer back into tokens.
//
// Knows: sampler objects, the plain data of cuda/api.h. Does not know: CUDA; it is part of every
// build and tested without a device. History, penalties' prices, DRY's runs and mirostat's memory
// stay on the host; only what changes single logits travels, eight bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/api.h"
#include "sampling/sampler.h"

namespace edgeward::cuda {

class Plan {
 public:
    void clear();
    // `logprob`: whether the drawn token's raw log-probability is wanted.
    void add(sampling::Sampler& sampler, std::uint64_t position, bool logprob);

    // Flags of all rows together.
    std::uint32_t flags() const { return flags_; }
    std::size_t rows() const { return rows_.size(); }
    // Rows, then edits: what is copied to the device.
    std::size_t bytes() const;
    void write(void* to) const;

 private:
    std::vector<edgeward_row> rows_;
    std::vector<sampling::Edit> edits_;
    std::uint32_t flags_ = 0;
};

// Tells the sampler what was drawn for it and returns the token. Throws std::invalid_argument with
// the words of the CPU's sampler when nothing was.
std::uint32_t settle(sampling::Sampler& sampler, const edgeward_draw& draw);

// Natural logarithm of the drawn token's raw probability, as Sampler::logprobs gives it.
float logprob_of(const edgeward_draw& draw);

}  // namespace edgeward::cuda
