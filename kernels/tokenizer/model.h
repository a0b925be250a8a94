// What every tokenization model does: a piece of text in, token ids out.
//
// Knows: the interface. Does not know: where pieces come from, offsets in the original text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/compiled.h"
#include "tokenizer/json.h"
#include "tokenizer/span.h"
#include "tokenizer/vocab.h"

namespace edgeward {

// Collects the tokens of one text.
struct TokenBuffer {
    static constexpr uint32_t kStays = 1u << 31;

    explicit TokenBuffer(bool with_lengths) : want_lengths(with_lengths) {}

    std::vector<uint32_t> ids;
    // Bytes of the piece each token covers, in order; filled only when wanted.
    // With kStays added, the next token covers the same bytes.
    std::vector<uint32_t> lengths;
    // Behind each piece of tokenize_pieces, the number of ids so far; filled only with the lengths.
    std::vector<uint32_t> ends;
    const bool want_lengths;

    void add(uint32_t id, uint32_t length) {
        ids.push_back(id);
        if (want_lengths) lengths.push_back(length);
    }

    void clear() {
        ids.clear();
        lengths.clear();
        ends.clear();
    }
};

class Model {
 public:
    virtual ~Model() = default;

    // Appends the tokens of `piece`, which is valid UTF-8 and not empty.
    virtual void tokenize(std::string_view piece, TokenBuffer& out) const = 0;

    // The same for a piece of raw bytes that stand for their byte-level characters. Returns false,
    // having appended nothing, if `out` wants lengths and they would not be plain byte counts
    // (the vocabulary lacks a byte): the caller then spells the characters out.
    // Only called when takes_bytes().
    virtual bool tokenize_bytes(std::string_view piece, TokenBuffer& out) const;
    virtual bool takes_bytes() const { return false; }

    // The pieces of `text` in order, as raw bytes or as characters: what the text of a whole
    // document goes through, a few hundred pieces a call. Returns how many are done, which is all
    // of them unless tokenize_bytes would return false for the next.
    virtual size_t tokenize_pieces(std::string_view text, std::span<const Span> pieces,
                                   bool raw_bytes, TokenBuffer& out) const;

    // Tells the model that pieces will be byte-level text, before the first call.
    virtual void prepare_bytes() {}

    // Lets the model remember words, in bounded memory and safe from any thread. Before the first
    // call.
    virtual void use_cache() {}

    // Whether the tables can be kept in a file, and be taken from one by a model that was made from
    // the same tokenizer.json without its vocab and merges. `read` checks every index in them and
    // throws std::invalid_argument; it comes before prepare_bytes and use_cache. `write` is for one
    // thread alone.
    virtual bool compiles() const { return false; }
    virtual void write(compiled::Writer&) {}
    virtual void read(compiled::Reader&) {}

    const Vocab& vocab() const { return vocab_; }

 protected:
    Vocab vocab_;
};

// The member "vocab" of a model. Throws std::invalid_argument.
Vocab read_vocab(const json::Value& model, Spelling spelling = Spelling::kPlain);

// Reads the "model" member of a tokenizer.json. Throws std::invalid_argument.
std::unique_ptr<Model> make_model(const json::Value& model);

}  // namespace edgeward
