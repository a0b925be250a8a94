// Settings and logits that every machine makes alike: of Philox and exact arithmetic only.
//
// Knows: twenty settings, six kinds of rows. Does not know: what is compared.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "sampling/options.h"
#include "sampling/philox.h"

namespace edgeward::tests {

using sampling::Options;

inline const std::vector<std::pair<const char*, std::function<void(Options&)>>> kSettings = {
    {"greedy", [](Options& o) { o.temperature = 0; }},
    {"plain", [](Options&) {}},
    {"cold", [](Options& o) { o.temperature = 0.3; }},
    {"hot", [](Options& o) { o.temperature = 5; }},
    {"top_k", [](Options& o) { o.top_k = 40; }},
    {"top_k_wide", [](Options& o) { o.top_k = 700; }},
    {"top_p", [](Options& o) { o.top_p = 0.9; }},
    {"top_p_small", [](Options& o) { o.top_p = 0.2; }},
    {"min_p", [](Options& o) { o.min_p = 0.03; }},
    {"top_k_top_p", [](Options& o) { o.top_k = 50, o.top_p = 0.95; }},
    {"top_p_min_p", [](Options& o) { o.top_p = 0.8, o.min_p = 0.01, o.temperature = 1.5; }},
    {"typical", [](Options& o) { o.typical_p = 0.8; }},
    {"typical_top_p", [](Options& o) { o.typical_p = 0.95, o.top_p = 0.9; }},
    {"sigma", [](Options& o) { o.top_n_sigma = 1.2; }},
    {"xtc", [](Options& o) { o.xtc_probability = 0.5, o.xtc_threshold = 0.05; }},
    {"xtc_top_p", [](Options& o) { o.xtc_probability = 0.5, o.min_p = 0.01, o.top_p = 0.9; }},
    {"mirostat", [](Options& o) { o.mirostat_tau = 4, o.mirostat_eta = 0.3; }},
    {"penalties",
     [](Options& o) {
         o.repetition_penalty = 1.2, o.frequency_penalty = 0.3, o.presence_penalty = 0.2;
         o.penalty_window = 20, o.logit_bias = {{3, 1.5}, {5, -2.0}}, o.banned_ids = {7};
     }},
    {"repeats",
     [](Options& o) {
         o.dry_multiplier = 0.8, o.dry_allowed_length = 1, o.no_repeat_ngram_size = 4;
     }},
    {"everything",
     [](Options& o) {
         o.temperature = 1.3, o.min_p = 0.005, o.top_n_sigma = 3, o.top_k = 100, o.typical_p = 0.95;
         o.top_p = 0.9, o.xtc_probability = 0.3, o.repetition_penalty = 1.1;
     }},
};

// Near a normal distribution: four 16-bit numbers added, less their mean, in 2^-14.
inline float bell(std::uint64_t row, std::uint64_t i) {
    const std::uint64_t bits = sampling::random_bits(row, i, 0, sampling::Stream::kToken);
    std::int32_t sum = -131'070;
    for (int part = 0; part < 4; ++part) {
        sum += static_cast<std::int32_t>(bits >> (16 * part) & 0xffff);
    }
    return static_cast<float>(sum) * 0x1p-14f;
}

// Real, peaked, flat, tied, with holes, spread wide, in turns.
inline std::vector<float> made_logits(std::int64_t vocabulary, std::uint64_t row) {
    std::vector<float> x(static_cast<std::size_t>(vocabulary));
    const auto scale = static_cast<float>(1 + row % 5);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float value = bell(row, i);
        switch (row % 6) {
            case 0:
                x[i] = value * scale;
                break;
            case 1:
                x[i] = value + (i % 97 == row % 97 ? 9.0f : 0.0f);
                break;
            case 2:
                x[i] = value * 0x1p-10f;
                break;
            case 3:
                x[i] = static_cast<float>(static_cast<int>(value * 4));
                break;
            case 4:
                x[i] = i % 3 == 0 ? value * scale : -std::numeric_limits<float>::infinity();
                break;
            default:
                x[i] = value * 500.0f;
        }
    }
    return x;
}

}  // namespace edgeward::tests
