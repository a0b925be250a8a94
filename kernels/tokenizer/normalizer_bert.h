// BertNormalizer in one pass.
//
// Knows: what its four stages do to one character. The stages themselves take over where characters
// act on each other.
#pragma once

#include <memory>
#include <vector>

#include "tokenizer/normalizer.h"

namespace edgeward {

struct BertOptions {
    bool clean = true;
    bool chinese = true;
    bool strip_accents = true;
    bool lowercase = true;
};

// True for BertNormalizer's blocks of Chinese characters.
bool is_bert_chinese(char32_t c);

// `stages`: the same, one after another.
std::unique_ptr<NormalizerStage> make_bert(const BertOptions& options,
                                           std::vector<std::unique_ptr<NormalizerStage>> stages);

}  // namespace edgeward
