#include "tokenizer/word_models.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/options.h"
#include "tokenizer/utf8.h"

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
        const uint32_t id = vocab_.find(word);
        if (id == kNoId) return add_unknown(word, out);
        out.add(id, static_cast<uint32_t>(word.size()));
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

    void tokenize(std::string_view word, TokenBuffer& out) const override {
        if (utf8_count(word) > max_characters_) return add_unknown(word, out);
        const size_t ids = out.ids.size();
        const size_t lengths = out.lengths.size();
        std::string spelled;
        for (size_t begin = 0; begin < word.size();) {
            size_t end = begin + std::min(word.size() - begin, longest_);
            while (end < word.size() && is_continuation(word[end])) --end;
            uint32_t id = kNoId;
            for (; end > begin; end = before(word, end)) {
                std::string_view piece = word.substr(begin, end - begin);
                if (begin > 0) {
                    spelled = prefix_;
                    spelled += piece;
                    piece = spelled;
                }
                id = vocab_.find(piece);
                if (id != kNoId) break;
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

 private:
    static size_t before(std::string_view word, size_t at) {
        return static_cast<size_t>(utf8_before(word.data() + at) - word.data());
    }

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
