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
#include <vector>

#include "tokenizer/bpe_merge.h"
#include "tokenizer/joints.h"
#include "tokenizer/merges.h"
#include "tokenizer/model.h"
#include "tokenizer/word_block.h"
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

class SymbolRoom;

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
    std::unique_ptr<Joints> find_joints() const;
    size_t next_cut(std::string_view text, size_t from) const;
    void keep_characters();
    uint32_t character_id(std::string_view character) const;
    void find_fallback();
    void find_bytes();
    void settle_all();
    uint32_t unknown_id() const;
    bool lacks_a_byte(std::string_view word) const;

    // A word's symbols, and what they merge to. `raw_bytes`: as in tokenize_pieces.
    void add_characters(std::string_view word, SymbolRoom& room) const;
    void add_bytes(std::string_view word, SymbolRoom& room) const;
    void spell(std::string_view word, bool raw_bytes, SymbolRoom& room) const;
    size_t room_for(std::string_view word, bool raw_bytes) const;

    bool is_whole(const WordSlot& slot, std::string_view word, bool raw_bytes) const;
    void cut(std::string_view word, const WordKey& key, bool raw_bytes, TokenBuffer& out) const;
    size_t take_block(const WordBlock& block, bool raw_bytes, bool want_ends,
                      TokenBuffer& out) const;

    MergeTable merges_;
    BpeOptions options_;
    std::array<uint32_t, 256> fallback_;  // ids of <0x00> .. <0xFF>
    std::unique_ptr<WordCache> cache_;
    // Plain text only. Pieces are cut into words where a mark (U+2581) follows something else.
    bool part_at_marks_ = false;
    // Where pieces can be cut as well; null if nowhere.
    std::unique_ptr<Joints> joints_;
    // Ids of the characters below U+10000, by page and place in the page.
    static constexpr size_t kPage = 64;
    std::array<uint16_t, 0x10000 / kPage> character_pages_{};
    std::vector<uint32_t> character_ids_;
    // Byte-level text only:
    std::array<uint32_t, 256> byte_ids_{};
    bool all_bytes_ = false;          // none is missing
    FlatArray<uint32_t> byte_ranks_;  // of byte a with byte b, at a * 256 + b
};

std::unique_ptr<Model> make_bpe(const json::Value& model);

}  // namespace edgeward
