// The settings of one sampler, and what they may be.
//
// Knows: names, ranges and units. Does not know: how any of them is carried out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace edgeward::sampling {

struct Options {
    std::int64_t vocab_size = 0;                              // 1 ... 2^24
    double temperature = 1.0;                                 // 0 ... 100; below 1e-5 greedy
    std::int64_t top_k = 0;                                   // 0 or -1: off
    double top_p = 1.0;                                       // (0, 1], 1: off
    double min_p = 0.0;                                       // [0, 1], 0: off
    double typical_p = 1.0;                                   // (0, 1], 1: off
    double repetition_penalty = 1.0;                          // (0, 100], 1: off
    double frequency_penalty = 0.0;                           // [-2, 2], 0: off
    double presence_penalty = 0.0;                            // [-2, 2], 0: off
    std::vector<std::pair<std::int64_t, double>> logit_bias;  // id, added value in [-100, 100]
    std::vector<std::int64_t> banned_ids;
    std::uint64_t seed = 0;

    std::size_t tokens() const { return static_cast<std::size_t>(vocab_size); }
    bool greedy() const { return temperature < 1e-5; }
    bool penalizes() const {
        return repetition_penalty != 1.0 || frequency_penalty != 0.0 || presence_penalty != 0.0;
    }
};

// Throws std::invalid_argument that names the setting, its value and the legal range.
void validate(const Options& options);

// Throws std::invalid_argument unless 0 <= id < vocab_size; `what` begins the message.
void require_id(const char* what, std::int64_t id, std::int64_t vocab_size);

}  // namespace edgeward::sampling
