// The stages of a decoder, made from their JSON.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/decoder.h"
#include "tokenizer/options.h"

namespace edgeward {

// Throws std::invalid_argument if `type` is unknown.
std::unique_ptr<DecoderStage> make_decoder_stage(const Options& options, const std::string& type);

}  // namespace edgeward
