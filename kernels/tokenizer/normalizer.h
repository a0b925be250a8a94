// The normalizers of a tokenizer.json: each rewrites a text before it is cut.
//
// Knows: the stages and their order. Does not know: added tokens, pre-tokenization.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json.h"
#include "tokenizer/text.h"

namespace edgeward {

class NormalizerStage {
 public:
    virtual ~NormalizerStage() = default;
    // Rewrites the pieces of `text`, if it changes anything in them.
    virtual void apply(Pieces& text) const = 0;
};

class Normalizer {
 public:
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit Normalizer(const json::Value& value);

    void apply(Pieces& text) const {
        for (const auto& stage : stages_) stage->apply(text);
    }
    std::string normalized(std::string_view text) const;

 private:
    std::vector<std::unique_ptr<NormalizerStage>> stages_;
};

}  // namespace edgeward
