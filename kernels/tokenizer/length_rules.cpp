#include "tokenizer/length_rules.h"

#include <stdexcept>

#include "tokenizer/options.h"
#include "tokenizer/vocab.h"

namespace edgeward {
namespace {

constexpr uint32_t kMostTokens = 1 << 24;

bool is_left(const Options& options) {
    const std::string_view direction = options.text("direction", "Right");
    if (direction != "Left" && direction != "Right") {
        throw std::invalid_argument(options.path("direction") + " is \"" + std::string(direction) +
                                    "\"; it is Left or Right");
    }
    return direction == "Left";
}

}  // namespace

LengthRules::LengthRules(const json::Value& truncation, const json::Value& padding, size_t special)
    : special_(special) {
    if (!truncation.is_null()) {
        const Options options(truncation, "truncation");
        max_length_ = options.number("max_length", UINT32_MAX);
        truncate_left_ = is_left(options);
        const std::string_view strategy = options.text("strategy");
        if (strategy != "LongestFirst" && strategy != "OnlyFirst") {
            throw std::invalid_argument("truncation.strategy \"" + std::string(strategy) +
                                        "\" is not supported; supported: LongestFirst, OnlyFirst");
        }
        const uint32_t stride = options.number("stride", UINT32_MAX);
        if (*max_length_ < special_ || stride > *max_length_ - special_) {
            throw std::invalid_argument("truncation.max_length " + std::to_string(*max_length_) +
                                        " leaves no room beside " + std::to_string(special_) +
                                        " special tokens and a stride of " +
                                        std::to_string(stride));
        }
    }
    if (!padding.is_null()) {
        const Options options(padding, "padding");
        pads_ = true;
        pad_left_ = is_left(options);
        pad_id_ = options.number("pad_id", kMaxId);
        if (options.find("pad_to_multiple_of") != nullptr) {
            multiple_ = options.number("pad_to_multiple_of", kMostTokens);
        }
        const json::Value& strategy = options.member("strategy");
        if (strategy.is_object()) {
            fixed_ = Options(strategy, "padding.strategy").number("Fixed", kMostTokens);
        } else if (strategy.string("padding.strategy") != "BatchLongest") {
            throw std::invalid_argument("padding.strategy is neither BatchLongest nor Fixed");
        }
    }
}

size_t LengthRules::padded(size_t longest) const {
    const size_t length = fixed_.value_or(longest);
    if (multiple_ == 0 || length % multiple_ == 0) return length;
    return length + multiple_ - length % multiple_;
}

}  // namespace edgeward
