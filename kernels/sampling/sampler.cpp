#include "sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace edgeward::sampling {
namespace {

const Options& validated(const Options& options) {
    validate(options);
    return options;
}

}  // namespace

Sampler::Sampler(const Options& options, const Passes& passes)
    : options_(validated(options)),
      passes_(passes),
      scale_(options.greedy() ? 0.0f
                              : static_cast<float>(std::numbers::log2e / options.temperature)),
      min_drop_(options.min_p > 0 ? options.temperature * std::log(options.min_p) : 0.0),
      adjustments_(options),
      pool_(passes),
      weights_(passes) {}

float* Sampler::scratch() {
    scratch_.resize(options_.tokens());
    return scratch_.data();
}

std::uint32_t Sampler::sample(float* logits, std::uint64_t position, const std::uint32_t* allowed) {
    if (allowed != nullptr) {
        passes_.keep_allowed(logits, options_.tokens(), allowed, scratch());
        logits = scratch_.data();
    }
    if (!writes()) return choose(logits, position);
    const AdjustedLogits adjusted(adjustments_, logits);
    return choose(logits, position);
}

std::uint32_t Sampler::sample_readonly(const float* logits, std::uint64_t position,
                                       const std::uint32_t* allowed) {
    if (allowed == nullptr && !writes()) return choose(logits, position);
    float* copy = scratch();
    if (allowed != nullptr) {
        passes_.keep_allowed(logits, options_.tokens(), allowed, copy);
    } else {
        std::copy_n(logits, options_.tokens(), copy);
    }
    return sample(copy, position, nullptr);
}

std::uint32_t Sampler::choose(const float* logits, std::uint64_t position) {
    pool_.reset(logits, options_.tokens());
    if (options_.greedy()) return static_cast<std::uint32_t>(pool_.best());

    if (options_.min_p > 0 || options_.top_k > 0) {
        const float bar = options_.min_p > 0 ? static_cast<float>(pool_.highest() + min_drop_)
                                             : -std::numeric_limits<float>::infinity();
        pool_.cut(bar, options_.top_k > 0 ? static_cast<std::size_t>(options_.top_k) : 0);
    }
    weights_.reset(pool_.values(), pool_.size(), pool_.highest(), scale_);
    if (options_.typical_p < 1) {
        typical_.apply(pool_.values(), pool_.highest(), scale_, options_.typical_p, weights_);
    }
    const Dice dice{options_.seed, position};
    const std::size_t index =
        options_.top_p < 1 ? weights_.draw_nucleus(dice, options_.top_p) : weights_.draw(dice);
    return pool_.id(index);
}

float Sampler::logprobs(const float* logits, std::uint32_t id, std::size_t top_n,
                        std::vector<TokenLogprob>& top) {
    pool_.reset(logits, options_.tokens());
    const double highest = pool_.highest();
    weights_.reset(logits, options_.tokens(), pool_.highest(),
                   static_cast<float>(std::numbers::log2e));
    const double log_sum = std::log(static_cast<double>(weights_.total()) / kUnitWeight);
    const auto logprob = [&](float logit) { return static_cast<float>(logit - highest - log_sum); };

    top.clear();
    if (top_n > 0) {
        pool_.cut(-std::numeric_limits<float>::infinity(), top_n);
        for (std::size_t i = 0; i < pool_.size(); ++i) {
            top.emplace_back(pool_.id(i), logprob(pool_.values()[i]));
        }
        // Stable: the pool is in the order of ids. By logit, which logprob() may round to ties.
        std::ranges::stable_sort(
            top, [&](const auto& a, const auto& b) { return logits[a.first] > logits[b.first]; });
    }
    return logprob(logits[id]);
}

}  // namespace edgeward::sampling
