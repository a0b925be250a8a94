// Where in the original text each token stands, in characters, as the reference says in Python.
//
// Knows: pieces, the original span behind each of their bytes, the reference's rules: a token that
// holds part of a character gets the whole character. Does not know: trimming.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/model.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/span.h"
#include "tokenizer/text.h"
#include "tokenizer/utf8.h"

namespace edgeward {

// Bytes of a text to numbers of characters. Cheapest when asked in order; never worse than counting
// through kStep bytes.
class CharacterCounter {
 public:
    explicit CharacterCounter(std::string_view text);

    // Characters touched by the bytes `span`, half open.
    Span characters(Span span);

    // Whether all of `span` is known to be ASCII; it may be so without.
    bool ascii(Span span) {
        if (marks_.empty()) return span.end <= text_.size();
        starts_before(span.begin);
        return span.end <= ascii_end_;
    }

    // How many characters start before byte `at`, which may be the size of the text.
    uint32_t starts_before(uint32_t at) {
        if (marks_.empty()) return at;  // ASCII
        if (at_ <= at && at <= ascii_end_) {
            count_ += at - at_;
            at_ = at;
            return count_;
        }
        return count_to(at);
    }

 private:
    static constexpr uint32_t kStep = 512;
    uint32_t count_to(uint32_t at);
    // The number of the character that byte `at` is part of.
    uint32_t number(uint32_t at) {
        return starts_before(at) - (is_continuation(text_[at]) ? 1 : 0);
    }

    std::string_view text_;
    std::vector<uint32_t> marks_;  // starts_before of every kStep-th byte; empty for ASCII
    uint32_t at_ = 0;
    uint32_t count_ = 0;
    uint32_t ascii_end_ = 0;  // all is ASCII from at_ to here
};

// What is told of the tokens of a text: one of each a token, or nothing where nobody asked.
struct PlacedTokens {
    std::vector<uint32_t> ids;
    std::vector<Span> characters;  // of the original, half open
    std::vector<Blanks> blanks;
    std::vector<int32_t> words;  // numbers of pre-tokens
};

class PlacedSink {
 public:
    static constexpr bool kTraced = true;

    struct Wanted {
        bool ids = true;
        bool blanks = false;
        bool words = false;
        const PostProcessor* trim = nullptr;  // what white space is taken out by at once
    };

    PlacedSink(std::string_view original, const Vocab& vocab, Wanted wanted)
        : counter_(original),
          vocab_(vocab),
          wanted_(wanted),
          with_spaces_(wanted.blanks || wanted.trim != nullptr) {
        tokens_.characters.reserve(original.size() / 3 + 16);  // most texts have fewer
        if (wanted.ids) tokens_.ids.reserve(original.size() / 3 + 16);
    }

    void added(const TracedText& text, Span span, uint32_t id);
    // `pieces` are counted from byte `base` of the text.
    void pieces(const TracedText& text, uint32_t base, std::span<const Span> pieces,
                const Model& model, bool raw_bytes);

    PlacedTokens& tokens() { return tokens_; }

 private:
    // The same for an original text.
    void place_unchanged(const TracedText& text, Span piece, size_t first, size_t last,
                         bool raw_bytes);
    // The ids of `found` from `first` to `last` are those of `piece`.
    void place(const TracedText& text, Span piece, const TokenBuffer& found, size_t first,
               size_t last);
    uint32_t ascii_start(const TracedText& text, Span piece);
    void place_spelled(const TracedText& text, Span piece, const Model& model);
    void push(uint32_t id, Span characters, Blanks blanks) {
        if (wanted_.trim != nullptr) {
            characters = wanted_.trim->trim(characters, blanks, tokens_.characters.empty());
        }
        tokens_.characters.push_back(characters);
        if (wanted_.ids) tokens_.ids.push_back(id);
        if (wanted_.blanks) tokens_.blanks.push_back(blanks);
        if (wanted_.words) tokens_.words.push_back(word_);
    }
    // Of a token's string.
    Blanks blanks(std::string_view string) const;
    bool push_blank(uint32_t id, Span characters, std::string_view string);

    CharacterCounter counter_;
    TokenBuffer found_{true};
    const Vocab& vocab_;
    const Wanted wanted_;
    const bool with_spaces_;
    // The last added token that was nothing but white space, and its number of characters. Such
    // tokens can overlap to the end of one run, which is then counted once.
    std::string_view blank_;
    uint32_t blank_count_ = 0;
    int32_t word_ = 0;  // number of the pre-token whose tokens come next
    PlacedTokens tokens_;
};

}  // namespace edgeward
