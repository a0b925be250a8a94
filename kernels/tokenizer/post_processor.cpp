#include "tokenizer/post_processor.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tokenizer/post_processor_steps.h"
#include "tokenizer/vocab.h"

namespace edgeward {

PostProcessor::PostProcessor(const json::Value& value) : given_(!value.is_null()) {
    if (given_) read(value, 0);
    find_parts();
}

void PostProcessor::read(const json::Value& value, int depth) {
    if (depth > 8) throw std::invalid_argument("post_processor sequences are nested too deep");
    const Options options(value, "post_processor");
    const std::string type(options.text("type"));
    if (type == "Sequence") {
        for (const json::Value& part : options.array("processors")) read(part, depth + 1);
        return;
    }
    if (type == "ByteLevel") {
        steps_.push_back(make_trim_step(options));
    } else if (type == "RobertaProcessing") {
        steps_.push_back(make_roberta_step(options));
    } else if (type == "BertProcessing") {
        steps_.push_back(make_bert_step(options));
    } else if (type == "TemplateProcessing") {
        steps_.push_back(make_template_step(options));
    } else {
        throw std::invalid_argument("post_processor \"" + type +
                                    "\" is not supported; supported: BertProcessing, ByteLevel, "
                                    "RobertaProcessing, Sequence, TemplateProcessing");
    }
    if (!steps_.back()->trims()) return;
    trims_.push_back(options.flag("add_prefix_space"));
    simple_ = simple_ && special_tokens() == steps_.back()->special_tokens(false);
}

// Lets the steps work on a text of one token that no vocabulary has, and looks where it went.
void PostProcessor::find_parts() {
    FullEncoding mark;
    mark.append_special(kNoId, 0);
    const FullEncoding whole = process({mark}, true);
    for (const uint32_t id : whole.ids) {
        if (id == kNoId) {
            parts_.push_back({true, {}});
        } else {
            if (parts_.empty() || parts_.back().sequence) parts_.push_back({false, {}});
            parts_.back().ids.push_back(id);
        }
    }
}

size_t PostProcessor::special_tokens(bool pair) const {
    size_t count = 0;
    for (const auto& step : steps_) count += step->special_tokens(pair);
    return count;
}

bool PostProcessor::trims() const { return !trims_.empty(); }

FullEncoding PostProcessor::process(std::vector<FullEncoding> encodings,
                                    bool add_special_tokens) const {
    for (uint32_t i = 0; i < encodings.size(); ++i) {
        encodings[i].set_sequence(i);
        encodings[i].set_type(i);
        // Without a post-processor the reference forgets whose the overflowing parts are.
        if (!given_) continue;
        for (FullEncoding& part : encodings[i].overflowing) part.set_sequence(i);
    }
    for (const auto& step : steps_) step->apply(encodings, add_special_tokens);
    FullEncoding whole;
    for (FullEncoding& encoding : encodings) {
        if (encodings.size() == 1) return std::move(encoding);
        whole.append(encoding);
    }
    return whole;
}

Span PostProcessor::trim(Span characters, Blanks blanks, bool first) const {
    for (const bool prefix_added : trims_) {
        trim_offsets(characters.begin, characters.end, blanks.leading, blanks.trailing, first,
                     prefix_added);
    }
    return characters;
}

}  // namespace edgeward
