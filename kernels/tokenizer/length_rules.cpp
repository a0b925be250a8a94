#include "tokenizer/length_rules.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tokenizer/options.h"
#include "tokenizer/vocab.h"

namespace edgeward {
namespace {

constexpr uint32_t kMostTokens = 1 << 24;

Side read_side(const Options& options) {
    const std::string_view direction = options.text("direction", "Right");
    if (direction != "Left" && direction != "Right") {
        throw std::invalid_argument(options.path("direction") + " is \"" + std::string(direction) +
                                    "\"; it is Left or Right");
    }
    return direction == "Left" ? Side::kLeft : Side::kRight;
}

Strategy read_strategy(const Options& options) {
    const std::string_view name = options.text("strategy");
    if (name == "LongestFirst") return Strategy::kLongestFirst;
    if (name == "OnlyFirst") return Strategy::kOnlyFirst;
    if (name == "OnlySecond") return Strategy::kOnlySecond;
    throw std::invalid_argument(options.path("strategy") + " is \"" + std::string(name) +
                                "\"; it is LongestFirst, OnlyFirst or OnlySecond");
}

[[noreturn]] void no_second() {
    throw std::invalid_argument(
        "truncation.strategy is OnlySecond and the text is too long, but there is no second text");
}

// How many tokens two texts keep, so that they have `most` together: only the longer one is cut
// unless both have more than half.
std::pair<size_t, size_t> share(size_t first, size_t second, size_t most) {
    size_t shorter = std::min(first, second);
    size_t longer = shorter > most ? shorter : std::max(shorter, most - shorter);
    if (shorter + longer > most) {
        shorter = most / 2;
        longer = shorter + most % 2;
    }
    return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

}  // namespace

LengthRules::LengthRules(const json::Value& truncation, const json::Value& padding, size_t special)
    : special_(special) {
    if (!truncation.is_null()) read_truncation(truncation);
    if (!padding.is_null()) read_padding(padding);
}

void LengthRules::read_truncation(const json::Value& truncation) {
    const Options options(truncation, "truncation");
    max_length_ = options.number("max_length", UINT32_MAX);
    truncate_side_ = read_side(options);
    strategy_ = read_strategy(options);
    stride_ = options.number("stride", UINT32_MAX);
    if (*max_length_ < special_ || stride_ > *max_length_ - special_) {
        throw std::invalid_argument("truncation.max_length " + std::to_string(*max_length_) +
                                    " leaves no room beside " + std::to_string(special_) +
                                    " special tokens and a stride of " + std::to_string(stride_));
    }
}

void LengthRules::read_padding(const json::Value& padding) {
    const Options options(padding, "padding");
    pads_ = true;
    pad_side_ = read_side(options);
    filling_ = {options.number("pad_id", kMaxId), options.number("pad_type_id", UINT32_MAX)};
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

// Tokens of texts beside special ones.
size_t LengthRules::room(size_t special) const {
    if (special <= *max_length_) return *max_length_ - special;
    throw std::invalid_argument("truncation.max_length " + std::to_string(*max_length_) +
                                " leaves no room beside " + std::to_string(special) +
                                " special tokens");
}

// How many of `size` tokens of a single text stay.
size_t LengthRules::kept(size_t size, size_t special) const {
    const size_t most = room(special);
    if (size <= most || most == 0) return std::min(size, most);
    if (strategy_ == Strategy::kOnlySecond) no_second();
    if (stride_ >= most) {
        throw std::invalid_argument("truncation.stride is " + std::to_string(stride_) +
                                    "; it must be less than the " + std::to_string(most) +
                                    " tokens that are kept of a text");
    }
    return most;
}

void LengthRules::truncate(std::vector<FullEncoding>& texts, size_t special) const {
    if (!max_length_) return;
    const size_t most = room(special);
    const auto cut = [&](size_t number, size_t size) {
        texts[number].truncate(size, stride_, truncate_side_);
    };
    if (texts.size() == 1) return cut(0, kept(texts[0].size(), special));
    const size_t first = texts[0].size();
    const size_t second = texts[1].size();
    if (most == 0) {
        cut(0, 0);
        cut(1, 0);
    } else if (first + second <= most) {
        return;
    } else if (strategy_ == Strategy::kLongestFirst) {
        const auto [one, other] = share(first, second, most);
        cut(0, one);
        cut(1, other);
    } else {
        const size_t number = strategy_ == Strategy::kOnlySecond;
        const size_t removed = first + second - most;
        if (texts[number].size() <= removed) {
            throw std::invalid_argument("truncation.strategy allows only one text to be cut, and " +
                                        std::to_string(texts[number].size()) +
                                        " tokens are too few to remove " + std::to_string(removed));
        }
        cut(number, texts[number].size() - removed);
    }
}

size_t LengthRules::padded(size_t longest) const {
    const size_t length = fixed_.value_or(longest);
    if (multiple_ == 0 || length % multiple_ == 0) return length;
    return length + multiple_ - length % multiple_;
}

}  // namespace edgeward
