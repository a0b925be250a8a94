// The decoders of a tokenizer.json: token strings back to text.
//
// Knows: the "decoder" member, and for the kinds that allow it a form in which a text can be made
// token by token. Does not know: ids, special tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json.h"

namespace edgeward {

// One stage: the list of token strings to another list.
class DecoderStage {
 public:
    virtual ~DecoderStage() = default;
    virtual void apply(std::vector<std::string>& tokens) const = 0;
};

// What a token adds to a text.
struct StreamPiece {
    std::string first;  // if it is the first token, or the last where Decoder::looks_ahead()
    std::string rest;   // if it is not
    // A byte of its own: a run of such tokens is a text if it is valid UTF-8, and one U+FFFD a byte
    // if it is not.
    bool byte = false;
};

class Decoder {
 public:
    Decoder() = default;
    // Throws std::invalid_argument naming the component that is unknown or damaged.
    explicit Decoder(const json::Value& value);

    // The text of a list of token strings.
    std::string decode(std::vector<std::string> tokens) const;

    // True if a text is the concatenation of its tokens' pieces, stripped at its start.
    bool streams() const { return kind_ != Kind::kChain; }
    // Then the last token has a piece of its own, and not the first.
    bool looks_ahead() const { return kind_ == Kind::kRestAndLast; }
    // Pieces are raw bytes; ill-formed sequences of the whole text become U+FFFD.
    bool bytes() const { return kind_ == Kind::kBytes; }
    StreamPiece piece(std::string_view token) const;
    // Up to `strip_count` characters `strip` are taken away from the start of a text.
    std::string_view strip() const { return strip_; }
    uint32_t strip_count() const { return strip_count_; }

 private:
    enum class Kind { kJoin, kBytes, kPieces, kFirstAndRest, kRestAndLast, kChain };
    void read(const json::Value& value, std::vector<std::string>& types, int depth);
    void choose_kind(const std::vector<std::string>& types);

    Kind kind_ = Kind::kJoin;
    std::vector<std::unique_ptr<DecoderStage>> stages_;
    size_t replacements_ = 0;  // kPieces: so many first stages change tokens one by one
    bool fallback_ = false;    // kPieces: then byte tokens are bytes
    std::string strip_;
    uint32_t strip_count_ = 0;
    uint32_t strip_stop_ = 0;
};

// The byte that a token "<0x41>" stands for, or -1.
int fallback_byte(std::string_view token);

// Appends a run of fallback bytes as the text it makes.
void append_fallback(std::string_view run, std::string& out);

}  // namespace edgeward
