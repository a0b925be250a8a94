// Byte-pair encoding (Sennrich et al., 2016) with the rules of Hugging Face's BPE model.
//
// Knows: a piece of text, the vocabulary, the merge list. The order of merges is the order of the
// list, not of the ids. Characters the vocabulary lacks become byte tokens (byte_fallback), the
// unknown token, or nothing, in that order of preference.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/merges.h"
#include "tokenizer/model.h"

namespace edgeward {

// A symbol of a word being merged: its id and how many bytes of the piece it covers.
struct Symbol {
    uint32_t id;
    uint32_t length;
};

// Applies `merges` to `symbols` until none applies: always the lowest rank, leftmost first.
// O(n^2) with a tiny constant up to kShortWord symbols, O(n log n) above.
void merge_symbols(const MergeTable& merges, std::vector<Symbol>& symbols);

struct BpeOptions {
    std::optional<std::string> unk_token;
    std::string prefix;  // continuing_subword_prefix
    std::string suffix;  // end_of_word_suffix
    bool fuse_unk = false;
    bool byte_fallback = false;
    bool ignore_merges = false;
};

class Bpe final : public Model {
 public:
    Bpe(Vocab vocab, MergeTable merges, BpeOptions options);

    void tokenize(std::string_view piece, TokenBuffer& out) const override;
    bool tokenize_bytes(std::string_view piece, TokenBuffer& out) const override;
    bool takes_bytes() const override;
    void prepare_bytes() override;

 private:
    // What is known about a vocabulary entry taken as a whole word. Written by any thread, always
    // with the same value, so that relaxed order is enough.
    enum Whole : uint8_t { kUnknown = 0, kYes = 1, kNo = 2 };

    void tokenize_word(std::string_view word, TokenBuffer& out) const;
    void add_characters(std::string_view piece, std::vector<Symbol>& symbols) const;
    bool words_part_at_marks() const;
    uint32_t unknown_id() const;
    template <class Spell>
    bool is_whole(uint32_t id, uint32_t length, Spell&& spell) const;
    bool add_bytes(std::string_view piece, std::vector<Symbol>& symbols) const;

    MergeTable merges_;
    BpeOptions options_;
    std::array<uint32_t, 256> fallback_;  // ids of <0x00> .. <0xFF>
    // No merge joins anything with a mark (U+2581) behind it, except marks: words that start with
    // one can be merged each alone.
    bool part_at_marks_ = false;
    std::unique_ptr<std::atomic<uint8_t>[]> whole_;
    // Byte-level text only:
    std::array<uint32_t, 256> byte_ids_{};
    std::unique_ptr<Vocab> words_;  // the vocabulary spelled in raw bytes
};

std::unique_ptr<Model> make_bpe(const json::Value& model);

}  // namespace edgeward
