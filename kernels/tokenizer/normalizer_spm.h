// The normalizers that come from SentencePiece and NMT: Precompiled and Nmt.
#pragma once

#include <memory>
#include <string_view>

#include "tokenizer/normalizer.h"

namespace edgeward {

// Throws std::invalid_argument if the charsmap is damaged.
std::unique_ptr<NormalizerStage> make_precompiled(std::string_view charsmap);

std::unique_ptr<NormalizerStage> make_nmt();

}  // namespace edgeward
