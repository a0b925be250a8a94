// The "truncation" and "padding" of a tokenizer.json, which hold for every text it encodes.
//
// Knows: how many tokens are kept of one text or of two, from which side, what overflows, and what
// is put beside them. Does not know: where tokens come from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tokenizer/encoding.h"
#include "tokenizer/json.h"

namespace edgeward {

enum class Strategy : uint8_t { kLongestFirst, kOnlyFirst, kOnlySecond };

class LengthRules {
 public:
    LengthRules() = default;
    // `special` tokens are put around one text. Throws std::invalid_argument.
    LengthRules(const json::Value& truncation, const json::Value& padding, size_t special);

    // Cuts the tokens of one text before special tokens are put around them. Throws
    // std::invalid_argument where the rules cannot be kept.
    template <class Token>
    void truncate(std::vector<Token>& tokens, bool with_special) const {
        if (!max_length_) return;
        const size_t most = kept(tokens.size(), with_special ? special_ : 0);
        if (tokens.size() <= most) return;
        if (truncate_side_ == Side::kLeft) {
            tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(most));
        } else {
            tokens.resize(most);
        }
    }

    // Cuts one text or two, around which `special` tokens will be put; what is cut off overflows.
    void truncate(std::vector<FullEncoding>& texts, size_t special) const;

    // Fills up to the fixed length, or to `longest` of a batch.
    template <class Token>
    void pad(std::vector<Token>& tokens, size_t longest, const Token& filling) const {
        if (!pads_) return;
        const size_t length = padded(longest);
        if (tokens.size() >= length) return;
        tokens.insert(pad_side_ == Side::kLeft ? tokens.begin() : tokens.end(),
                      length - tokens.size(), filling);
    }
    void pad(FullEncoding& encoding) const {
        if (pads_) encoding.pad(padded(encoding.size()), filling_, pad_side_);
    }

    bool truncates() const { return max_length_.has_value(); }
    bool pads() const { return pads_; }
    uint32_t pad_id() const { return filling_.id; }

 private:
    void read_truncation(const json::Value& truncation);
    void read_padding(const json::Value& padding);
    size_t room(size_t special) const;
    size_t kept(size_t size, size_t special) const;
    size_t padded(size_t longest) const;

    std::optional<size_t> max_length_;
    size_t stride_ = 0;
    Strategy strategy_ = Strategy::kLongestFirst;
    Side truncate_side_ = Side::kRight;
    size_t special_ = 0;
    bool pads_ = false;
    Side pad_side_ = Side::kRight;
    std::optional<size_t> fixed_;
    size_t multiple_ = 0;
    FullEncoding::Filling filling_{0, 0};
};

}  // namespace edgeward
