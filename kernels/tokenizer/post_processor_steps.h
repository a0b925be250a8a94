// The steps of a post-processor, made from their JSON.
#pragma once

#include <memory>

#include "tokenizer/options.h"
#include "tokenizer/post_processor.h"

namespace edgeward {

// The offsets of a token without the white space at its ends. `first`: it is the first of its text.
// `prefix_added`: one space before a first token was not in the text and stays.
void trim_offsets(uint32_t& begin, uint32_t& end, uint32_t leading, uint32_t trailing, bool first,
                  bool prefix_added);

// Each throws std::invalid_argument naming the member that is missing or damaged.
std::unique_ptr<PostProcessorStep> make_trim_step(const Options& options);
std::unique_ptr<PostProcessorStep> make_bert_step(const Options& options);
std::unique_ptr<PostProcessorStep> make_roberta_step(const Options& options);
std::unique_ptr<PostProcessorStep> make_template_step(const Options& options);

}  // namespace edgeward
