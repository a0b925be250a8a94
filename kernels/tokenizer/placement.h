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
#include "tokenizer/text.h"

namespace edgeward {

// Bytes of a text to numbers of characters.
class CharacterCounter {
 public:
    explicit CharacterCounter(std::string_view text);
    // Characters touched by the bytes `span`, half open.
    Span characters(Span span) const;

 private:
    // Number of the character each byte belongs to; empty when the text is ASCII.
    std::vector<uint32_t> number_;
    uint32_t size_;
};

class PlacedSink {
 public:
    static constexpr bool kTraced = true;

    // `with_spaces`: count the white space at both ends of each token's string.
    PlacedSink(std::string_view original, const Vocab& vocab, bool with_spaces)
        : counter_(original), vocab_(vocab), with_spaces_(with_spaces) {}

    void added(const TracedText& text, Span span, uint32_t id);
    // `pieces` are counted from byte `base` of the text.
    void pieces(const TracedText& text, uint32_t base, std::span<const Span> pieces,
                const Model& model, bool raw_bytes);

    std::vector<PlacedToken>& tokens() { return tokens_; }

 private:
    // The ids of `found` from `first` to `last` are those of `piece`.
    void place(const TracedText& text, Span piece, const TokenBuffer& found, size_t first,
               size_t last);
    void place_spelled(const TracedText& text, Span piece, const Model& model);
    void push(uint32_t id, Span characters, std::string_view string);
    bool push_blank(uint32_t id, Span characters, std::string_view string);

    CharacterCounter counter_;
    const Vocab& vocab_;
    const bool with_spaces_;
    // The last added token that was nothing but white space, and its number of characters. Such
    // tokens can overlap to the end of one run, which is then counted once.
    std::string_view blank_;
    uint32_t blank_count_ = 0;
    int32_t word_ = 0;  // number of the pre-token whose tokens come next
    std::vector<PlacedToken> tokens_;
};

}  // namespace edgeward
