#include "sampling/options.h"

#include <cstdio>
#include <stdexcept>
#include <string>

namespace edgeward::sampling {
namespace {

constexpr std::int64_t kLargestVocabulary = std::int64_t{1} << 24;

std::string text(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.17g", value);
    char shorter[32];
    std::snprintf(shorter, sizeof shorter, "%g", value);
    return std::stod(shorter) == value ? shorter : buffer;
}

[[noreturn]] void refuse(const char* name, double value, const std::string& range) {
    throw std::invalid_argument(std::string(name) + " is " + text(value) + "; it must be " + range);
}

// Written so that NaN fails every comparison.
void require_closed(const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
        refuse(name, value, "between " + text(low) + " and " + text(high));
    }
}

void require_above(const char* name, double value, double low, double high) {
    if (!(value > low && value <= high)) {
        refuse(name, value, "greater than " + text(low) + " and at most " + text(high));
    }
}

void require_at_least(const char* name, std::int64_t value, std::int64_t low) {
    if (value < low) {
        throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                    "; it must be at least " + std::to_string(low));
    }
}

void require_ids(const char* name, const std::vector<std::int64_t>& ids, std::int64_t vocab_size) {
    const std::string what = std::string("an entry of ") + name;
    for (const std::int64_t id : ids) require_id(what.c_str(), id, vocab_size);
}

void validate_repeats(const Options& options) {
    require_closed("dry_multiplier", options.dry_multiplier, 0.0, 100.0);
    require_closed("dry_base", options.dry_base, 1.0, 100.0);
    require_at_least("dry_allowed_length", options.dry_allowed_length, 1);
    require_at_least("dry_window", options.dry_window, 0);
    require_at_least("no_repeat_ngram_size", options.no_repeat_ngram_size, 0);
    require_ids("dry_breaker_ids", options.dry_breaker_ids, options.vocab_size);
}

void validate_mirostat(const Options& options) {
    require_closed("mirostat_tau", options.mirostat_tau, 0.0, 100.0);
    require_closed("mirostat_eta", options.mirostat_eta, 0.0, 1.0);
    const bool cuts = options.top_k > 0 || options.top_p < 1 || options.min_p > 0 ||
                      options.typical_p < 1 || options.top_n_sigma > 0 ||
                      options.xtc_probability > 0;
    if (options.mirostat_tau > 0 && cuts) {
        throw std::invalid_argument("mirostat_tau is " + text(options.mirostat_tau) +
                                    "; mirostat makes the only cut, so top_k, top_p, min_p, "
                                    "typical_p, top_n_sigma and xtc_probability must be off");
    }
}

}  // namespace

void require_id(const char* what, std::int64_t id, std::int64_t vocab_size) {
    if (id < 0 || id >= vocab_size) {
        throw std::invalid_argument(std::string(what) + " is " + std::to_string(id) +
                                    "; token ids of this vocabulary are 0 to " +
                                    std::to_string(vocab_size - 1));
    }
}

void validate(const Options& options) {
    if (options.vocab_size < 1 || options.vocab_size > kLargestVocabulary) {
        throw std::invalid_argument("vocab_size is " + std::to_string(options.vocab_size) +
                                    "; it must be between 1 and " +
                                    std::to_string(kLargestVocabulary));
    }
    require_closed("temperature", options.temperature, 0.0, 100.0);
    if (options.top_k < -1) {
        throw std::invalid_argument("top_k is " + std::to_string(options.top_k) +
                                    "; it must be at least 1, or 0 or -1 for off");
    }
    require_above("top_p", options.top_p, 0.0, 1.0);
    require_closed("min_p", options.min_p, 0.0, 1.0);
    require_above("typical_p", options.typical_p, 0.0, 1.0);
    require_above("repetition_penalty", options.repetition_penalty, 0.0, 100.0);
    require_closed("frequency_penalty", options.frequency_penalty, -2.0, 2.0);
    require_closed("presence_penalty", options.presence_penalty, -2.0, 2.0);
    for (const auto& [id, bias] : options.logit_bias) {
        require_id("a key of logit_bias", id, options.vocab_size);
        require_closed(("logit_bias[" + std::to_string(id) + "]").c_str(), bias, -100.0, 100.0);
    }
    require_at_least("penalty_window", options.penalty_window, 0);
    require_closed("top_n_sigma", options.top_n_sigma, 0.0, 100.0);
    require_closed("xtc_probability", options.xtc_probability, 0.0, 1.0);
    require_above("xtc_threshold", options.xtc_threshold, 0.0, 1.0);
    require_at_least("min_tokens", options.min_tokens, 0);
    require_ids("banned_ids", options.banned_ids, options.vocab_size);
    require_ids("end_ids", options.end_ids, options.vocab_size);
    require_ids("forced_ids", options.forced_ids, options.vocab_size);
    for (const std::vector<std::int64_t>& word : options.bad_words_ids) {
        if (word.empty()) throw std::invalid_argument("bad_words_ids has an entry without tokens");
        require_ids("bad_words_ids", word, options.vocab_size);
    }
    validate_repeats(options);
    validate_mirostat(options);
}

}  // namespace edgeward::sampling
