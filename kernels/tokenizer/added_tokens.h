// The "added_tokens" of a tokenizer.json: strings that are cut out of the text before, or just
// after, it is normalized, and never reach the model.
//
// Knows: their flags, their ids, how the reference finds them in a text (including that a match
// refused by single_word is used up, and that a match widened by rstrip may overlap the next).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tokenizer/json.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/text.h"
#include "tokenizer/token_matcher.h"
#include "tokenizer/vocab.h"

namespace edgeward {

// Where a token is looked for in a text. All but kContent are this project's own, as the member
// "lookup" of an added token, for sources that tokenizer.json cannot spell: "verbatim" (as it is
// written, in the normalized text: SentencePiece's user-defined symbols) and "never" (its control
// symbols, which are no text).
enum class Lookup : uint8_t { kContent, kVerbatim, kNever };

struct AddedToken {
    std::string content;
    std::string pattern;  // what is looked for: the content, normalized if the token is
    uint32_t id = kNoId;
    bool single_word = false;
    bool lstrip = false;
    bool rstrip = false;
    bool normalized = false;
    bool special = false;
    Lookup lookup = Lookup::kContent;
};

class AddedTokens {
 public:
    AddedTokens() = default;

    // Ids come from the vocabulary where it holds the content and count on from its size where not,
    // as in the reference; the ids in the file are not used. Throws std::invalid_argument.
    AddedTokens(const json::Value& value, const Vocab& vocab, const Normalizer* normalizer);

    // Calls `part(span, id)` for each part of `text` by the tokens that are looked for before
    // normalization, or after it: a token, or text between (id kNoId).
    template <class Part>
    void split(std::string_view text, bool after_normalization, Part&& part) const {
        const TokenMatcher& matcher = after_normalization ? after_ : before_;
        Search search;
        for (Found found; !matcher.empty() && next(matcher, text, search, found);) {
            if (found.before.begin < found.before.end) part(found.before, kNoId);
            part(found.span, found.id);
        }
        const auto size = static_cast<uint32_t>(text.size());
        if (search.done != size) part(Span{search.done, size}, kNoId);
    }

    const std::vector<AddedToken>& tokens() const { return tokens_; }
    // nullptr when absent.
    const AddedToken* by_id(uint32_t id) const;
    uint32_t find(std::string_view content) const;
    bool is_special(std::string_view text) const {
        return (text.empty() || special_starts_[static_cast<unsigned char>(text[0])]) &&
               specials_.contains(text);
    }

 private:
    struct Search {
        uint32_t from = 0;       // where the next match may start
        uint32_t done = 0;       // end of the last part
        uint32_t white_end = 0;  // end of the white space that was last skipped
    };
    struct Found {
        Span before;  // text between the last part and this
        Span span;
        uint32_t id;
    };
    bool next(const TokenMatcher& matcher, std::string_view text, Search& search,
              Found& found) const;
    void add(AddedToken token, const Vocab& vocab, uint32_t& next_id);

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::string, size_t> by_content_;
    std::unordered_map<uint32_t, size_t> by_id_;
    // Lets a view be looked for without a string made of it.
    struct TextHash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_set<std::string, TextHash, std::equal_to<>> specials_;
    std::array<bool, 256> special_starts_{};  // first bytes of specials_
    TokenMatcher before_;                     // of normalization
    TokenMatcher after_;
};

}  // namespace edgeward
