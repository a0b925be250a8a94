#include "tokenizer/post_processor.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tokenizer/options.h"
#include "tokenizer/vocab.h"

namespace edgeward {
namespace {

std::vector<uint32_t> read_ids(const json::Value& value, std::string_view what) {
    std::vector<uint32_t> ids;
    for (const json::Value& id : value.array(what)) {
        ids.push_back(static_cast<uint32_t>(id.unsigned_integer(what, kMaxId)));
    }
    return ids;
}

// ["</s>", 2]
uint32_t read_named_id(const Options& options, std::string_view name) {
    const auto pair = options.array(name);
    if (pair.size() != 2) {
        throw std::invalid_argument(options.path(name) + " must be a token and its id");
    }
    return static_cast<uint32_t>(pair[1].unsigned_integer(options.path(name), kMaxId));
}

PostProcessor::Part read_part(const json::Value& piece, const json::Value& special_tokens) {
    piece.object("a piece of TemplateProcessing");
    if (const json::Value* sequence = piece.find("Sequence")) {
        const Options options(*sequence, "TemplateProcessing.single.Sequence");
        if (options.text("id") != "A") {
            throw std::invalid_argument("TemplateProcessing.single names a second sequence");
        }
        return {true, {}};
    }
    const json::Value* special = piece.find("SpecialToken");
    if (special == nullptr) {
        throw std::invalid_argument(
            "a piece of TemplateProcessing.single is neither a Sequence nor a SpecialToken");
    }
    const std::string name(Options(*special, "TemplateProcessing.single.SpecialToken").text("id"));
    const json::Value* token = special_tokens.find(name);
    if (token == nullptr) {
        throw std::invalid_argument("TemplateProcessing.special_tokens has no \"" + name + "\"");
    }
    return {false,
            read_ids(Options(*token, "TemplateProcessing.special_tokens").member("ids"), "ids")};
}

}  // namespace

PostProcessor::PostProcessor(const json::Value& value) {
    if (!value.is_null()) read(value, 0);
}

void PostProcessor::set_parts(std::vector<Part> parts) {
    if (has_template_) {
        throw std::invalid_argument(
            "post_processor Sequence puts special tokens around the text twice");
    }
    has_template_ = true;
    parts_ = std::move(parts);
}

void PostProcessor::read(const json::Value& value, int depth) {
    if (depth > 8) throw std::invalid_argument("post_processor sequences are nested too deep");
    const Options options(value, "post_processor");
    const std::string type(options.text("type"));
    if (type == "Sequence") {
        for (const json::Value& part : options.array("processors")) read(part, depth + 1);
    } else if (type == "ByteLevel") {
        if (options.flag("trim_offsets")) trims_.push_back(options.flag("add_prefix_space"));
    } else if (type == "RobertaProcessing") {
        if (options.flag("trim_offsets")) trims_.push_back(options.flag("add_prefix_space"));
        set_parts({{false, {read_named_id(options, "cls")}},
                   {true, {}},
                   {false, {read_named_id(options, "sep")}}});
    } else if (type == "BertProcessing") {
        set_parts({{false, {read_named_id(options, "cls")}},
                   {true, {}},
                   {false, {read_named_id(options, "sep")}}});
    } else if (type == "TemplateProcessing") {
        std::vector<Part> parts;
        const json::Value& special_tokens = options.member("special_tokens");
        special_tokens.object("TemplateProcessing.special_tokens");
        for (const json::Value& piece : options.array("single")) {
            parts.push_back(read_part(piece, special_tokens));
        }
        set_parts(std::move(parts));
    } else {
        throw std::invalid_argument("post_processor \"" + type +
                                    "\" is not supported; supported: BertProcessing, ByteLevel, "
                                    "RobertaProcessing, Sequence, TemplateProcessing");
    }
}

size_t PostProcessor::special_tokens() const {
    size_t count = 0;
    for (const Part& part : parts_) count += part.ids.size();
    return count;
}

void PostProcessor::trim(std::span<PlacedToken> tokens) const {
    for (const bool prefix_added : trims_) {
        for (size_t i = 0; i < tokens.size(); ++i) {
            PlacedToken& token = tokens[i];
            uint32_t leading = token.leading;
            if (leading > 0) {
                const bool first = i == 0 || token.begin == 0;
                if (first && prefix_added && leading == 1) leading = 0;
                token.begin = std::min(token.begin + leading, token.end);
            }
            if (token.trailing > 0 && token.end >= token.trailing) {
                token.end = std::max(token.end - token.trailing, token.begin);
            }
        }
    }
}

}  // namespace edgeward
