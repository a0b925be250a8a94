// SentencePiece's own normalizer, for `.model` files: the longest part that the charsmap knows at
// each place (a tokenizer.json's Precompiled goes by grapheme clusters instead), white space
// collapsed and escaped, user-defined symbols kept as they are. This project's own component: no
// tokenizer.json of others holds it.
#pragma once

#include <memory>

#include "tokenizer/normalizer.h"
#include "tokenizer/options.h"

namespace edgeward {

// Throws std::invalid_argument if a member is missing or damaged.
std::unique_ptr<NormalizerStage> make_sentencepiece(const Options& options);

}  // namespace edgeward
