// A tokenizer.json as an object: text to token ids and character offsets, and back.
//
// Knows: the order of the stages (added tokens, normalizer, pre-tokenizers, model, post-processor;
// decoder). Immutable once built, so any number of threads may use it at a time. The reference for
// every result is Hugging Face's `tokenizers` 0.23.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/compiled.h"
#include "tokenizer/decoder.h"
#include "tokenizer/encoding.h"
#include "tokenizer/length_rules.h"
#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"

namespace edgeward {

// Texts are refused above this size; positions are 32-bit.
inline constexpr size_t kMaxText = size_t{1} << 30;

struct PlacedTokens;

struct Encoding {
    std::vector<uint32_t> ids;
    // Characters (code points) of the text, half open; one for each id.
    std::vector<Span> offsets;
};

class Tokenizer {
 public:
    // `cache`: remember words that are no tokens (at most 4 MiB, shared by all threads).
    // Throws std::invalid_argument: damaged JSON, a component that is unknown or inconsistent.
    explicit Tokenizer(std::string_view json_text, bool cache = true);

    // The same from a file that compile() made. `source` are 32 bytes that say what it was made
    // from (a sha256 of the tokenizer.json). The file is mapped: it must not be changed while it is
    // in use. Throws std::invalid_argument if it is damaged, of another version or another source,
    // std::system_error if it cannot be read.
    Tokenizer(MappedFile file, std::string_view source, bool cache = true);

    // The content of such a file; empty for the kinds of models that have none (all but BPE).
    // `json_without_tables` is the tokenizer.json with an empty vocab and no merges. For one thread
    // alone.
    std::string compile(std::string_view json_without_tables, std::string_view source);

    // `text` must be valid UTF-8 (see utf8_lossy). Throws std::invalid_argument when the text is
    // longer than kMaxText, or needs an unknown token that the vocabulary does not hold.
    std::vector<uint32_t> encode(std::string_view text, bool add_special_tokens) const;
    Encoding encode_with_offsets(std::string_view text, bool add_special_tokens) const;
    // The same without the ids.
    std::vector<Span> offsets(std::string_view text, bool add_special_tokens) const;
    // One text, or two that belong together, with all a model wants to know of their tokens; what
    // truncation cuts off is in overflowing. See tokenizer_full.cpp.
    FullEncoding encode_full(std::string_view text, std::optional<std::string_view> pair,
                             bool add_special_tokens) const;
    // Brings texts encoded one by one to one length, if the file wants that.
    void pad_batch(std::vector<std::vector<uint32_t>>& batch) const;

    // Ids that are no token are left out. Ill-formed bytes become U+FFFD.
    std::string decode(std::span<const uint32_t> ids, bool skip_special_tokens) const;

    // The bytes that `id` adds to a decoded text, as its first token or behind others; nothing for
    // an id that is no token. Meaningless unless decoder().streams().
    std::string_view token_bytes(uint32_t id, bool first = false) const;
    // See StreamPiece::byte.
    bool is_byte(uint32_t id) const { return is_token(id) && pieces_[id].byte != 0; }
    const Decoder& decoder() const { return decoder_; }
    bool is_token(uint32_t id) const { return id < pieces_.size() && pieces_[id].known != 0; }
    bool is_special(uint32_t id) const { return is_token(id) && pieces_[id].special != 0; }
    // The token's string; nothing for an id that is no token.
    std::string_view id_to_token(uint32_t id) const;
    // kNoId when absent.
    uint32_t token_to_id(std::string_view token) const;

    // Number of tokens, added ones included.
    size_t vocab_size() const { return vocab_size_; }
    // One more than the largest id.
    uint32_t end_id() const { return static_cast<uint32_t>(pieces_.size()); }
    const std::vector<AddedToken>& added_tokens() const { return added_.tokens(); }

 private:
    struct Piece {
        Span first;  // in piece_bytes_
        Span rest;
        uint8_t known = 0;
        uint8_t special = 0;
        uint8_t byte = 0;
        uint8_t reserved = 0;
    };
    // `tables`: a compiled file to take the tables from.
    void build(std::string_view json_text, bool cache, compiled::Reader* tables);
    void check_pieces() const;
    template <class Sink>
    void run(std::string_view text, Sink& sink) const;
    // The part `all` of a text that is normalized.
    template <class Sink>
    void run_normalized(const TracedText& text, Span all, Sink& sink) const;
    // A part without added tokens.
    template <class Sink>
    void run_words(const TracedText& text, Span span, Sink& sink) const;
    Encoding encode_placed(std::string_view text, bool add_special_tokens, bool with_ids) const;
    // All that is known of the tokens of one text, not cut or trimmed.
    PlacedTokens place(std::string_view text) const;
    uint32_t count_tokens();
    void fill_pieces();
    std::string decode_chain(std::span<const uint32_t> ids, bool skip_special_tokens) const;
    bool is_shown(uint32_t id, bool skip_special_tokens) const {
        return is_token(id) && !(skip_special_tokens && pieces_[id].special);
    }

    MappedFile file_;  // what the tables lie in, if they were compiled
    Normalizer normalizer_;
    AddedTokens added_;
    PreTokenizers pre_tokenizers_;
    std::unique_ptr<Model> model_;
    PostProcessor post_processor_;
    LengthRules length_rules_;
    Decoder decoder_;
    FlatArray<char> piece_bytes_;
    FlatArray<Piece> pieces_;  // by id
    size_t vocab_size_ = 0;
};

}  // namespace edgeward
