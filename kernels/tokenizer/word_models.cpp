#include "tokenizer/word_models.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "tokenizer/compiled.h"
#include "tokenizer/options.h"
#include "tokenizer/symbol_room.h"
#include "tokenizer/utf8.h"
#include "tokenizer/word_block.h"

namespace edgeward {
namespace {

class WordModel : public Model {
 public:
    bool compiles() const override { return true; }
    void write(compiled::Writer& writer) override { vocab_.visit(writer); }
    void read(compiled::Reader& reader) override {
        vocab_.visit(reader);
        vocab_.check();
        if (vocab_.spelling() != Spelling::kPlain) {
            throw std::invalid_argument(
                "the compiled tokenizer does not fit its options; make it anew from "
                "tokenizer.json");
        }
        learn();
    }

 protected:
    WordModel(Vocab vocab, std::string unknown) : unknown_(std::move(unknown)) {
        vocab_ = std::move(vocab);
    }

    // Looks at every token, when they are there.
    virtual void learn() {}

    uint32_t unknown_id() const {
        const uint32_t id = vocab_.find(unknown_);
        if (id == kNoId) {
            throw std::invalid_argument("the text needs the unknown token \"" + unknown_ +
                                        "\", which the vocabulary does not hold");
        }
        return id;
    }
    void add_unknown(std::string_view word, TokenBuffer& out) const {
        out.add(unknown_id(), static_cast<uint32_t>(word.size()));
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

// How long the strings are that start with given bytes: of a word's many prefixes, the few that are
// worth a search.
class LengthsByStart {
 public:
    static constexpr size_t kLast = 63;  // stands for itself and all above

    void add(std::string_view string) {
        if (string.empty()) return;
        const uint64_t bit = uint64_t{1} << std::min(string.size(), kLast);
        (string.size() < kStart ? few_[first(string)] : many_[place(string)]) |= bit;
    }
    // Bit n: one of n bytes may start `text`, which is not empty. Never too few.
    uint64_t of(std::string_view text) const {
        uint64_t lengths = few_[first(text)];
        if (text.size() >= kStart) lengths |= many_[place(text)];
        return text.size() >= kLast ? lengths : lengths & ((uint64_t{2} << text.size()) - 1);
    }

 private:
    static constexpr size_t kStart = 4;  // bytes that many_ goes by
    static constexpr unsigned kPlaceBits = 14;

    static size_t first(std::string_view text) { return static_cast<unsigned char>(text[0]); }
    static size_t place(std::string_view text) {
        return static_cast<uint32_t>(load4(text.data()) * 0x9E3779B1u) >> (32 - kPlaceBits);
    }

    std::array<uint64_t, 256> few_{};
    std::vector<uint64_t> many_ = std::vector<uint64_t>(size_t{1} << kPlaceBits);
};

class WordPiece final : public WordModel {
 public:
    WordPiece(Vocab vocab, std::string unknown, std::string prefix, size_t max_characters)
        : WordModel(std::move(vocab), std::move(unknown)),
          prefix_(std::move(prefix)),
          max_characters_(max_characters) {
        learn();
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
    void learn() final {
        for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
            if (!vocab_.has(id)) continue;
            const std::string_view text = vocab_.text(id);
            longest_ = std::max(longest_, text.size());
            at_start_.add(text);
            if (text.starts_with(prefix_)) behind_.add(text.substr(prefix_.size()));
        }
    }

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
        if (cache_ == nullptr) {
            SymbolRoom room(word.size());
            cut(word, room);
            return room.give(out);
        }
        if (const auto tokens = cache_->find(block.key(i), word); !tokens.empty()) {
            for (const uint32_t token : tokens) {
                out.add(WordCache::id(token), WordCache::length(token));
            }
            return;
        }
        SymbolRoom room(word.size());
        cut(word, room);
        room.give(out);
        cache_->add(block.key(i), word, room.ids(), room.lengths());
    }

    // One part that is unknown makes all of the word unknown.
    void cut(std::string_view word, SymbolRoom& room) const {
        // The word behind room for a prefix. What follows a part is looked up in place: its prefix
        // is written over the end of that part.
        constexpr size_t kFew = 240;
        char few[kFew + kReadable];
        std::string many;
        char* text = few;
        if (prefix_.size() + word.size() > kFew) {
            many.resize(prefix_.size() + word.size() + kReadable);
            text = many.data();
        } else {
            std::memset(few + prefix_.size() + word.size(), 0, kReadable);
        }
        word.copy(text + prefix_.size(), word.size());
        for (size_t begin = 0; begin < word.size();) {
            const std::string_view rest = word.substr(begin, longest_);
            char* const part = text + (begin == 0 ? prefix_.size() : begin);
            if (begin > 0) prefix_.copy(part, prefix_.size());
            const size_t size = longest(rest, part, begin > 0, room);
            if (size == 0) {
                room.clear();
                return room.add(unknown_id(), static_cast<uint32_t>(word.size()));
            }
            begin += size;
        }
    }

    // Adds the longest token that a word goes on with and returns how many bytes of the word it
    // takes, 0 if there is none. `rest` is what is left of the word; it stands at `part`, too,
    // behind the prefix if the token must have one.
    size_t longest(std::string_view rest, const char* part, bool prefixed, SymbolRoom& room) const {
        if (rest.empty()) return 0;  // there are no tokens
        const size_t before = prefixed ? prefix_.size() : 0;
        const auto take = [&](size_t size) {
            const std::string_view text(part, before + size);
            const WordKey key = vocab_.words().key_of_readable(part, text.size());
            const WordSlot* slot = vocab_.find(key, text);
            if (slot != nullptr) room.add(WordTable::id(*slot), static_cast<uint32_t>(size));
            return slot != nullptr;
        };
        // Tokens are whole characters, so one that is found ends where a character does.
        uint64_t lengths = (prefixed ? behind_ : at_start_).of(rest);
        while (lengths != 0) {
            const auto size = static_cast<size_t>(std::bit_width(lengths) - 1);
            lengths &= ~(uint64_t{1} << size);
            if (size < LengthsByStart::kLast) {
                if (take(size)) return size;
                continue;
            }
            for (size_t large = rest.size(); large >= LengthsByStart::kLast; --large) {
                if (take(large)) return large;
            }
        }
        return 0;
    }

    static constexpr size_t kReadable = 16;  // what key_of_readable may look at

    std::unique_ptr<WordCache> cache_;
    std::string prefix_;
    size_t max_characters_;
    size_t longest_ = 0;  // bytes of the longest token
    LengthsByStart at_start_;
    LengthsByStart behind_;  // of the tokens with the prefix, without it
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
