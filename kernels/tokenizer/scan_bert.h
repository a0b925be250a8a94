// BertPreTokenizer by hand: white space is dropped, each punctuation mark is a piece.
//
// Knows: that. Linear.
#pragma once

#include <memory>

#include "tokenizer/cutter.h"

namespace edgeward {

std::unique_ptr<Cutter> make_bert_cutter();

}  // namespace edgeward
