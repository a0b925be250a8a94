// The "truncation" and "padding" of a tokenizer.json, which hold for every text it encodes.
//
// Knows: how many tokens are kept, from which side, and what is put beside them. Does not know:
// pairs, overflow.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tokenizer/json.h"

namespace edgeward {

class LengthRules {
 public:
    LengthRules() = default;
    // `special` tokens are put around a text. Throws std::invalid_argument.
    LengthRules(const json::Value& truncation, const json::Value& padding, size_t special);

    // Cuts the tokens of a text before special tokens are put around them.
    template <class Token>
    void truncate(std::vector<Token>& tokens, bool with_special) const {
        if (!max_length_) return;
        const size_t most = *max_length_ - (with_special ? special_ : 0);
        if (tokens.size() <= most) return;
        if (truncate_left_) {
            tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(most));
        } else {
            tokens.resize(most);
        }
    }

    // Fills up to the fixed length, or to `longest` of a batch.
    template <class Token>
    void pad(std::vector<Token>& tokens, size_t longest, const Token& filling) const {
        if (!pads_) return;
        const size_t length = padded(longest);
        if (tokens.size() >= length) return;
        tokens.insert(pad_left_ ? tokens.begin() : tokens.end(), length - tokens.size(), filling);
    }

    bool pads() const { return pads_; }
    uint32_t pad_id() const { return pad_id_; }

 private:
    size_t padded(size_t longest) const;

    std::optional<size_t> max_length_;
    bool truncate_left_ = false;
    size_t special_ = 0;
    bool pads_ = false;
    bool pad_left_ = false;
    std::optional<size_t> fixed_;
    size_t multiple_ = 0;
    uint32_t pad_id_ = 0;
};

}  // namespace edgeward
