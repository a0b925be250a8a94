#include "sampling/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "sampling/exclude.h"

namespace edgeward::sampling {
namespace {

// Masks of at most a token in so many are gathered.
constexpr std::size_t kFew = 8;

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
      weights_(passes),
      mass_cut_(passes),
      mirostat_(options.mirostat_tau, options.mirostat_eta) {}

void Sampler::observe(std::uint32_t id) {
    adjustments_.history().observe(id);
    if (id == drawn_) mirostat_.learn();
}

void Sampler::drew(std::uint32_t id, std::uint64_t mass, std::uint32_t weight) {
    drawn_ = id;
    if (mirostat_.on()) mirostat_.drew(mass, weight);
}

bool Sampler::forced(std::uint32_t& id) const {
    const std::size_t next = adjustments_.history().outputs();
    if (next >= options_.forced_ids.size()) return false;
    id = static_cast<std::uint32_t>(options_.forced_ids[next]);
    return true;
}

float* Sampler::copied(const float* logits, const std::uint32_t* allowed) {
    scratch_.resize(options_.tokens());
    if (allowed != nullptr) {
        passes_.keep_allowed(logits, options_.tokens(), allowed, scratch_.data());
    } else {
        std::copy_n(logits, options_.tokens(), scratch_.data());
    }
    return scratch_.data();
}

// A mask that allows few tokens: those alone are looked at from then on. What is drawn is the same;
// only top-n-sigma adds up doubles by their place, and so keeps the places.
bool Sampler::gather_few(const float* logits, const std::uint32_t* allowed) {
    if (writes() || options_.top_n_sigma > 0) return false;
    const std::size_t tokens = options_.tokens(), most = tokens / kFew;
    const auto word_at = [&](std::size_t word) {
        const std::size_t left = tokens - word * 32;
        return left >= 32 ? allowed[word] : allowed[word] & ((1u << left) - 1);
    };
    const std::size_t words = (tokens + 31) / 32;
    std::size_t count = 0;
    for (std::size_t word = 0; word < words; ++word) {
        count += static_cast<std::size_t>(std::popcount(word_at(word)));
    }
    if (count > most) return false;
    scratch_.resize(tokens);
    few_.resize(most);
    std::size_t next = 0;
    for (std::size_t word = 0; word < words; ++word) {
        for (std::uint32_t left = word_at(word); left != 0; left &= left - 1) {
            const std::size_t id = word * 32 + static_cast<std::size_t>(std::countr_zero(left));
            scratch_[next] = logits[id];
            few_[next++] = static_cast<std::uint32_t>(id);
        }
    }
    pool_.reset(scratch_.data(), count, few_.data(), tokens);
    return true;
}

std::uint32_t Sampler::sample(float* logits, std::uint64_t position, const std::uint32_t* allowed) {
    if (std::uint32_t id; forced(id)) return id;
    if (allowed != nullptr) {
        if (gather_few(logits, allowed)) return choose_from_pool(position);
        logits = copied(logits, allowed);
    }
    if (!writes()) return choose(logits, position);
    const AdjustedLogits adjusted(adjustments_, logits);
    return choose(logits, position);
}

std::uint32_t Sampler::sample_readonly(const float* logits, std::uint64_t position,
                                       const std::uint32_t* allowed) {
    if (std::uint32_t id; forced(id)) return id;
    if (allowed == nullptr && !writes()) return choose(logits, position);
    if (allowed != nullptr && gather_few(logits, allowed)) return choose_from_pool(position);
    return sample(copied(logits, allowed), position, nullptr);
}

// The logit below which min-p or top-n-sigma cuts; -inf when both are off.
float Sampler::lowest_kept() const {
    double bar = -std::numeric_limits<double>::infinity();
    const double highest = pool_.highest();
    if (options_.min_p > 0) bar = highest + min_drop_;
    if (options_.top_n_sigma > 0) {
        const Moments m = passes_.moments(pool_.values(), pool_.size(), pool_.highest());
        bar = std::max(bar, sigma_bar(highest, options_.top_n_sigma, m));
    }
    return static_cast<float>(bar);
}

std::uint32_t Sampler::choose(const float* logits, std::uint64_t position) {
    pool_.reset(logits, options_.tokens());
    return choose_from_pool(position);
}

std::uint32_t Sampler::choose_from_pool(std::uint64_t position) {
    if (options_.greedy()) return pool_.best();

    narrow();
    return drawn_ = pool_.id(draw({options_.seed, position}));
}

// Everything up to typical-p: what is cut before anything is drawn.
void Sampler::narrow() {
    const float bar = lowest_kept();
    if (options_.top_k > 0 || bar > -std::numeric_limits<float>::infinity()) {
        pool_.cut(bar, options_.top_k > 0 ? static_cast<std::size_t>(options_.top_k) : 0);
    }
    weights_.reset(pool_.values(), pool_.size(), pool_.highest(), scale_, pool_.floor());
    if (options_.typical_p < 1) {
        mass_cut_.typical(pool_.values(), pool_.highest(), scale_, options_.typical_p, weights_);
    }
}

std::size_t Sampler::draw(const Dice& dice) {
    if (mirostat_.on()) return mirostat_.draw(dice, weights_);
    if (options_.xtc_probability > 0) {
        cut(dice);
        return weights_.draw(dice);
    }
    return options_.top_p < 1 ? weights_.draw_nucleus(dice, options_.top_p) : weights_.draw(dice);
}

// The last cuts, made outright: top-p alone is drawn without.
void Sampler::cut(const Dice& dice) {
    if (options_.top_p < 1) mass_cut_.nucleus(options_.top_p, weights_);
    if (options_.xtc_probability > 0) {
        exclude_top_choices(dice, options_.xtc_probability, options_.xtc_threshold, weights_);
    }
}

float Sampler::final_logprobs(const float* logits, std::uint64_t position, std::uint32_t id,
                              std::size_t top_n, const std::uint32_t* allowed,
                              std::vector<TokenLogprob>& top) {
    constexpr float kNever = -std::numeric_limits<float>::infinity();
    const auto certain = [&](std::uint32_t only) {
        top.assign(std::min<std::size_t>(top_n, 1), {only, 0.0f});
        return id == only ? 0.0f : kNever;
    };
    if (std::uint32_t only; forced(only)) return certain(only);
    float* copy = copied(logits, allowed);
    const AdjustedLogits adjusted(adjustments_, copy);
    pool_.reset(copy, options_.tokens());
    if (options_.greedy()) return certain(pool_.best());

    narrow();
    const Dice dice{options_.seed, position};
    if (!mirostat_.on()) cut(dice);
    const std::uint32_t bar = mirostat_.on() ? mirostat_.bar(weights_) : 1;
    std::vector<std::size_t> kept;
    const std::uint64_t mass =
        weights_.for_each_from(bar, [&](std::size_t i) { kept.push_back(i); });
    const double log_sum = std::log(static_cast<double>(mass) / kUnitWeight);
    const auto logprob = [&](std::size_t i) {
        const double drop = static_cast<double>(pool_.values()[i]) - pool_.highest();
        return static_cast<float>(drop / options_.temperature - log_sum);
    };

    float chosen = kNever;
    for (const std::size_t i : kept) {
        if (pool_.id(i) == id) chosen = logprob(i);
    }
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(std::min(top_n, kept.size()));
    std::partial_sort(kept.begin(), end, kept.end(), [&](std::size_t a, std::size_t b) {
        const float u = pool_.values()[a], v = pool_.values()[b];
        return u != v ? u > v : a < b;
    });
    top.clear();
    for (auto i = kept.begin(); i != end; ++i) top.emplace_back(pool_.id(*i), logprob(*i));
    return chosen;
}

float Sampler::logprobs(const float* logits, std::uint32_t id, std::size_t top_n,
                        std::vector<TokenLogprob>& top) {
    pool_.reset(logits, options_.tokens());
    const double highest = pool_.highest();
    weights_.reset(logits, options_.tokens(), pool_.highest(),
                   static_cast<float>(std::numbers::log2e), pool_.floor());
    const double log_sum = std::log(static_cast<double>(weights_.total()) / kUnitWeight);
    const auto logprob = [&](float logit) { return static_cast<float>(logit - highest - log_sum); };

    top.clear();
    if (top_n > 0) {
        pool_.cut(-std::numeric_limits<float>::infinity(), top_n);
        for (std::size_t i = 0; i < pool_.size(); ++i) {
            if (pool_.values()[i] < pool_.floor()) continue;
            top.emplace_back(pool_.id(i), logprob(pool_.values()[i]));
        }
        // Stable: the pool is in the order of ids. By logit, which logprob() may round to ties.
        std::ranges::stable_sort(
            top, [&](const auto& a, const auto& b) { return logits[a.first] > logits[b.first]; });
    }
    return logprob(logits[id]);
}

}  // namespace edgeward::sampling
