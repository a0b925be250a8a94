#include "tokenizer/word_models.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/options.h"
#include "tokenizer/utf8.h"
#include "tokenizer/word_block.h"

namespace edgeward {
namespace {

class WordModel : public Model {
 protected:
    WordModel(Vocab vocab, std::string unknown) : unknown_(std::move(unknown)) {
        vocab_ = std::move(vocab);
    }

    void add_unknown(std::string_view word, TokenBuffer& out) const {
        const uint32_t id = vocab_.find(unknown_);
        if (id == kNoId) {
            throw std::invalid_argument("the text needs the unknown token \"" + unknown_ +
                                        "\", which the vocabulary does not hold");
        }
        out.add(id, static_cast<uint32_t>(word.size()));
    }

 private:
    std::string unknown_;
};

class WordLevel final : public WordModel {
 public:
    WordLevel(Vocab vocab, std::string unknown) : WordModel(std::move(vocab), std::move(unknown)) {}

    void tokenize(std::string_view word, TokenBuffer& out) const override {
        take(vocab_.find(vocab_.key(word), word), word, out);
    }

    size_t tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool,
                           TokenBuffer& out) const override {
        return take_in_blocks(vocab_, nullptr, text, pieces, [&](const WordBlock& block) {
            for (size_t i = 0; i < block.size(); ++i) {
                take(block.slot(i), block.word(i), out);
                if (out.want_lengths) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
            }
            return block.size();
        });
    }

 private:
    void take(const WordSlot* slot, std::string_view word, TokenBuffer& out) const {
        if (slot == nullptr) return add_unknown(word, out);
        out.add(WordTable::id(*slot), static_cast<uint32_t>(word.size()));
    }
};

class WordPiece final : public WordModel {
 public:
    WordPiece(Vocab vocab, std::string unknown, std::string prefix, size_t max_characters)
        : WordModel(std::move(vocab), std::move(unknown)),
          prefix_(std::move(prefix)),
          max_characters_(max_characters) {
        for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
            if (vocab_.has(id)) longest_ = std::max(longest_, vocab_.text(id).size());
        }
    }

    void use_cache() override { cache_ = std::make_unique<WordCache>(WordCache::kMostBytes); }

    void tokenize(std::string_view word, TokenBuffer& out) const override {
        const Span whole{0, static_cast<uint32_t>(word.size())};
        take(WordBlock(vocab_, cache_.get(), word, {&whole, 1}), 0, out);
    }

    size_t tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool,
                           TokenBuffer& out) const override {
        return take_in_blocks(vocab_, cache_.get(), text, pieces, [&](const WordBlock& block) {
            for (size_t i = 0; i < block.size(); ++i) {
                take(block, i, out);
                if (out.want_lengths) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
            }
            return block.size();
        });
    }

 private:
    // The longest match at the start of a word is the word itself, if it is an entry.
    void take(const WordBlock& block, size_t i, TokenBuffer& out) const {
        const std::string_view word = block.word(i);
        // A word has at most as many characters as bytes.
        const bool too_long = word.size() > max_characters_ && utf8_count(word) > max_characters_;
        if (block.slot(i) != nullptr && !too_long) {
            out.add(WordTable::id(*block.slot(i)), static_cast<uint32_t>(word.size()));
            return;
        }
        if (too_long) return add_unknown(word, out);
        if (cache_ == nullptr) return cut(word, out);
        if (const auto tokens = cache_->find(block.key(i), word); !tokens.empty()) {
            for (const uint32_t token : tokens) {
                out.add(WordCache::id(token), WordCache::length(token));
            }
            return;
        }
        TokenBuffer found(true);
        cut(word, found);
        cache_->add(block.key(i), word, found.ids, found.lengths);
        for (size_t k = 0; k < found.ids.size(); ++k) out.add(found.ids[k], found.lengths[k]);
    }

    void cut(std::string_view word, TokenBuffer& out) const {
        const size_t ids = out.ids.size();
        const size_t lengths = out.lengths.size();
        // The rest of the word behind the prefix: what follows a part is looked up in place.
        std::string spelled = prefix_;
        for (size_t begin = 0; begin < word.size();) {
            size_t end = begin + std::min(word.size() - begin, longest_);
            while (end < word.size() && is_continuation(word[end])) --end;
            if (begin > 0) {
                spelled.resize(prefix_.size());
                spelled.append(word, begin, end - begin);
            }
            uint32_t id = kNoId;
            for (; end > begin; end = before(word, end)) {
                const std::string_view part =
                    begin == 0 ? word.substr(0, end)
                               : std::string_view(spelled).substr(0, prefix_.size() + end - begin);
                const WordSlot* slot = vocab_.find(vocab_.key(part), part);
                if (slot != nullptr) {
                    id = WordTable::id(*slot);
                    break;
                }
            }
            if (id == kNoId) {
                // One part that is unknown makes all of the word unknown.
                out.ids.resize(ids);
                out.lengths.resize(lengths);
                return add_unknown(word, out);
            }
            out.add(id, static_cast<uint32_t>(end - begin));
            begin = end;
        }
    }

    static size_t before(std::string_view word, size_t at) {
        return static_cast<size_t>(utf8_before(word.data() + at) - word.data());
    }

    std::unique_ptr<WordCache> cache_;
    std::string prefix_;
    size_t max_characters_;
    size_t longest_ = 0;  // bytes of the longest token
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const json::Value& model) {
    const Options options(model, "model");
    return std::make_unique<WordPiece>(read_vocab(model), std::string(options.text("unk_token")),
                                       std::string(options.text("continuing_subword_prefix")),
                                       options.number("max_input_chars_per_word", UINT32_MAX));
}

std::unique_ptr<Model> make_word_level(const json::Value& model) {
    const Options options(model, "model");
    return std::make_unique<WordLevel>(read_vocab(model), std::string(options.text("unk_token")));
}

}  // namespace edgeward
