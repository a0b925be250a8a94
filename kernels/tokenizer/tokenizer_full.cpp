// Tokenizer::encode_full: the way of a text, or of two, through truncation, the post-processor and
// padding with everything the reference tells of its tokens.
#include "tokenizer/placement.h"
#include "tokenizer/tokenizer.h"

namespace edgeward {
namespace {

FullEncoding gather(PlacedTokens tokens, uint32_t type) {
    FullEncoding encoding;
    encoding.ids = std::move(tokens.ids);
    encoding.words = std::move(tokens.words);
    for (const Span part : tokens.characters) encoding.offsets.emplace_back(part.begin, part.end);
    for (const Blanks part : tokens.blanks) {
        encoding.blanks.emplace_back(part.leading, part.trailing);
    }
    encoding.set_type(type);
    encoding.special_mask.assign(encoding.size(), 0);
    encoding.attention_mask.assign(encoding.size(), 1);
    return encoding;
}

}  // namespace

FullEncoding Tokenizer::encode_full(std::string_view text, std::optional<std::string_view> pair,
                                    bool add_special_tokens) const {
    std::vector<FullEncoding> texts;
    texts.push_back(gather(place(text), 0));
    if (pair) texts.push_back(gather(place(*pair), 1));
    length_rules_.truncate(
        texts, add_special_tokens ? post_processor_.special_tokens(pair.has_value()) : 0);
    FullEncoding whole = post_processor_.process(std::move(texts), add_special_tokens);
    length_rules_.pad(whole);
    return whole;
}

}  // namespace edgeward
