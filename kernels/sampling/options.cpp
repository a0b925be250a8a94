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
    for (const std::int64_t id : options.banned_ids) {
        require_id("an entry of banned_ids", id, options.vocab_size);
    }
}

}  // namespace edgeward::sampling
