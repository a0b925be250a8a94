// The models that look words up: WordLevel, and WordPiece (Wu et al., 2016), longest match first.
//
// Knows: a word, the vocabulary, the unknown token.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/model.h"

namespace edgeward {

// Throws std::invalid_argument.
std::unique_ptr<Model> make_word_piece(const json::Value& model);
std::unique_ptr<Model> make_word_level(const json::Value& model);

}  // namespace edgeward
