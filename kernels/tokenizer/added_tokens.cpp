#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/options.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

bool is_word(const char* p) { return CharClasses::get().bits(utf8_decode(p).code) & kWordBit; }
bool is_white(const char* p) { return CharClasses::get().space(utf8_decode(p).code); }

bool stands_alone(std::string_view text, Span span) {
    if (span.begin > 0 && is_word(utf8_before(text.data() + span.begin))) return false;
    return span.end == text.size() || !is_word(text.data() + span.end);
}

// The start of the white space before `at`, but not before `floor`.
uint32_t skip_white_before(std::string_view text, uint32_t at, uint32_t floor) {
    while (at > floor) {
        const char* before = utf8_before(text.data() + at);
        if (!is_white(before)) break;
        at = static_cast<uint32_t>(before - text.data());
    }
    return at;
}

uint32_t skip_white(std::string_view text, uint32_t at) {
    while (at < text.size() && is_white(text.data() + at)) {
        at += static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(text[at])));
    }
    return at;
}

Lookup read_lookup(const Options& options) {
    const json::Value* value = options.find("lookup");
    if (value == nullptr || value->is_null()) return Lookup::kContent;
    const std::string_view text = value->string("lookup of an added token");
    if (text == "verbatim") return Lookup::kVerbatim;
    if (text == "never") return Lookup::kNever;
    throw std::invalid_argument("lookup of an added token is \"" + std::string(text) +
                                "\"; it must be \"verbatim\" or \"never\", or be left out");
}

}  // namespace

AddedTokens::AddedTokens(const json::Value& value, const Vocab& vocab,
                         const Normalizer* normalizer) {
    auto next_id = static_cast<uint32_t>(vocab.size());
    for (const json::Value& entry : value.array("added_tokens")) {
        const Options options(entry, "an entry of added_tokens");
        options.number("id", kMaxId);
        AddedToken token;
        token.content = options.text("content");
        token.single_word = options.flag("single_word", false);
        token.lstrip = options.flag("lstrip", false);
        token.rstrip = options.flag("rstrip", false);
        token.normalized = options.flag("normalized", true);
        token.special = options.flag("special", false);
        token.lookup = read_lookup(options);
        const bool rewrite = token.normalized && token.lookup == Lookup::kContent;
        token.pattern = rewrite && normalizer != nullptr ? normalizer->normalized(token.content)
                                                         : token.content;
        if (!token.content.empty()) add(std::move(token), vocab, next_id);
    }
    for (const auto& [id, index] : by_id_) {
        const AddedToken& token = tokens_[index];
        if (token.lookup == Lookup::kNever) continue;
        (token.normalized ? after_ : before_).add(token.pattern, id);
    }
}

void AddedTokens::add(AddedToken token, const Vocab& vocab, uint32_t& next_id) {
    if (token.special) {
        specials_.insert(token.content);
        special_starts_[static_cast<unsigned char>(token.content[0])] = true;
    }
    if (const auto known = by_content_.find(token.content); known != by_content_.end()) {
        // Given again: the later rules hold.
        token.id = tokens_[known->second].id;
        tokens_[known->second] = std::move(token);
        return;
    }
    token.id = vocab.find(token.content);
    if (token.id == kNoId) token.id = next_id++;
    by_content_[token.content] = tokens_.size();
    by_id_[token.id] = tokens_.size();
    tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::by_id(uint32_t id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

uint32_t AddedTokens::find(std::string_view content) const {
    const auto found = by_content_.find(std::string(content));
    return found == by_content_.end() ? kNoId : tokens_[found->second].id;
}

bool AddedTokens::next(const TokenMatcher& matcher, std::string_view text, Search& search,
                       Found& found) const {
    TokenMatcher::Match match;
    while (matcher.find(text, search.from, match)) {
        search.from = match.span.end;
        const AddedToken& token = *by_id(match.value);
        if (token.single_word && !stands_alone(text, match.span)) continue;
        if (token.lstrip) {
            // May move forward, too, behind what the last token took.
            match.span.begin =
                std::max(skip_white_before(text, match.span.begin, search.done), search.done);
        }
        if (token.rstrip) {
            // Tokens that are white space themselves ask again and again about the same run.
            if (match.span.end >= search.white_end) {
                search.white_end = skip_white(text, match.span.end);
            }
            match.span.end = search.white_end;
        }
        // Nothing is left of it where the white space that it asks for went to the last token. (The
        // reference drops it too, or panics if the last token took even more.)
        if (match.span.begin >= match.span.end) continue;
        found = {{search.done, match.span.begin}, match.span, match.value};
        search.done = match.span.end;
        return true;
    }
    return false;
}

}  // namespace edgeward
