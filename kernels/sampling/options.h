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

    std::int64_t penalty_window = 0;      // last tokens the three penalties look at; 0: all
    double top_n_sigma = 0.0;             // [0, 100], 0: off
    double xtc_probability = 0.0;         // [0, 1], 0: off
    double xtc_threshold = 0.1;           // (0, 1]
    double dry_multiplier = 0.0;          // [0, 100], 0: off
    double dry_base = 1.75;               // [1, 100]
    std::int64_t dry_allowed_length = 2;  // 1 or more
    std::int64_t dry_window = 0;          // last tokens looked at; 0: all
    std::vector<std::int64_t> dry_breaker_ids;
    std::int64_t no_repeat_ngram_size = 0;  // 0: off
    double mirostat_tau = 0.0;              // bits, [0, 100], 0: off
    double mirostat_eta = 0.1;              // [0, 1]
    std::vector<std::vector<std::int64_t>> bad_words_ids;
    std::int64_t min_tokens = 0;  // end_ids are banned before
    std::vector<std::int64_t> end_ids;
    std::vector<std::int64_t> forced_ids;  // the first tokens of the output

    std::size_t tokens() const { return static_cast<std::size_t>(vocab_size); }
    bool greedy() const { return temperature < 1e-5; }
    bool penalizes() const {
        return repetition_penalty != 1.0 || frequency_penalty != 0.0 || presence_penalty != 0.0;
    }
    bool matches_repeats() const { return dry_multiplier > 0 || no_repeat_ngram_size > 0; }
};

// Throws std::invalid_argument that names the setting, its value and the legal range.
void validate(const Options& options);

// Throws std::invalid_argument unless 0 <= id < vocab_size; `what` begins the message.
void require_id(const char* what, std::int64_t id, std::int64_t vocab_size);

}  // namespace edgeward::sampling
