// Byte-pair encoding (Sennrich et al., 2016) with the rules of Hugging Face's BPE model.
//
// Knows: a piece of text, the vocabulary, the merge list. The order of merges is the order of the
// list, not of the ids. Characters the vocabulary lacks become byte tokens (byte_fallback), the
// unknown token, or nothing, in that order of preference.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "tokenizer/bpe_merge.h"
#include "tokenizer/merges.h"
#include "tokenizer/model.h"
#include "tokenizer/word_cache.h"

namespace edgeward {

struct BpeOptions {
    std::optional<std::string> unk_token;
    std::string prefix;  // continuing_subword_prefix
    std::string suffix;  // end_of_word_suffix
    bool fuse_unk = false;
    bool byte_fallback = false;
    bool ignore_merges = false;

    // Whether pieces may be bytes that stand for their byte-level characters: every character is
    // one byte, and one that is missing vanishes.
    bool take_bytes() const {
        return !unk_token && !byte_fallback && prefix.empty() && suffix.empty();
    }
};

class Bpe final : public Model {
 public:
    // The vocabulary's spelling is byte-level exactly if options.take_bytes().
    Bpe(Vocab vocab, MergeTable merges, BpeOptions options);

    void tokenize(std::string_view piece, TokenBuffer& out) const override;
    bool tokenize_bytes(std::string_view piece, TokenBuffer& out) const override;
    size_t tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool raw_bytes,
                           TokenBuffer& out) const override;
    bool takes_bytes() const override { return options_.take_bytes(); }
    void prepare_bytes() override;
    void use_cache() override;
    bool compiles() const override { return true; }
    void write(compiled::Writer& writer) override;
    void read(compiled::Reader& reader) override;

 private:
    class Row;

    void tokenize_word(std::string_view word, TokenBuffer& out) const;
    void add_characters(std::string_view piece, Row& row) const;
    bool words_part_at_marks() const;
    void find_fallback();
    void find_bytes();
    void settle_all();
    uint32_t unknown_id() const;
    template <class Spell>
    bool is_whole(const WordSlot& slot, size_t length, Spell&& spell) const;
    size_t room_for(std::string_view piece) const;
    void add_bytes(std::string_view piece, Row& row) const;
    bool lacks_a_byte(std::string_view piece) const;
    void cut_bytes(std::string_view piece, const WordKey& key, TokenBuffer& out) const;

    MergeTable merges_;
    BpeOptions options_;
    std::array<uint32_t, 256> fallback_;  // ids of <0x00> .. <0xFF>
    // No merge joins anything with a mark (U+2581) behind it, except marks: words that start with
    // one can be merged each alone.
    bool part_at_marks_ = false;
    std::unique_ptr<WordCache> cache_;
    // Byte-level text only:
    std::array<uint32_t, 256> byte_ids_{};
    bool all_bytes_ = false;          // none is missing
    FlatArray<uint32_t> byte_ranks_;  // of byte a with byte b, at a * 256 + b
};

std::unique_ptr<Model> make_bpe(const json::Value& model);

}  // namespace edgeward
