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
    // True if it is quick to see that the stage changes nothing in `text`.
    virtual bool keeps(std::string_view) const { return false; }
};

class Normalizer {
 public:
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit Normalizer(const json::Value& value);

    void apply(Pieces& text) const {
        for (const auto& stage : stages_) stage->apply(text);
    }
    bool keeps(std::string_view text) const {
        for (const auto& stage : stages_) {
            if (!stage->keeps(text)) return false;
        }
        return true;
    }
    std::string normalized(std::string_view text) const;

 private:
    std::vector<std::unique_ptr<NormalizerStage>> stages_;
};

}  // namespace edgeward
