#include "tokenizer/unigram.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <string>

#include "tokenizer/compiled.h"
#include "tokenizer/double_array.h"
#include "tokenizer/flat_array.h"
#include "tokenizer/options.h"
#include "tokenizer/symbol_room.h"
#include "tokenizer/utf8.h"
#include "tokenizer/word_cache.h"

namespace edgeward {
namespace {

// How much worse than the worst token a character is that no token covers.
constexpr double kUnknownPenalty = 10.0;

// Below this many bytes a word needs no memory from the heap.
constexpr size_t kShortWord = 255;

// The best way to a position: the token that ends there and where it starts.
struct Arrival {
    double score;
    uint32_t start;  // kNoId while no way leads here
    uint32_t id;
};

struct Token {
    uint32_t begin;
    uint32_t end;
    uint32_t id;
};

// Most strings differ in their first bytes, which compare as one number.
void sort_by_bytes(std::vector<std::pair<std::string_view, uint32_t>>& strings) {
    struct Entry {
        uint64_t start;  // the first eight bytes, the first one on top, 0 behind the end
        uint32_t index;
    };
    std::vector<Entry> entries(strings.size());
    for (uint32_t i = 0; i < entries.size(); ++i) {
        const std::string_view text = strings[i].first;
        uint64_t start = 0;
        for (size_t k = 0; k < 8; ++k) {
            start = start << 8 | (k < text.size() ? static_cast<unsigned char>(text[k]) : 0u);
        }
        entries[i] = {start, i};
    }
    std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
        return a.start != b.start ? a.start < b.start
                                  : strings[a.index].first < strings[b.index].first;
    });
    std::vector<std::pair<std::string_view, uint32_t>> sorted;
    sorted.reserve(strings.size());
    for (const Entry& entry : entries) sorted.push_back(strings[entry.index]);
    strings = std::move(sorted);
}

class Unigram final : public Model {
 public:
    Unigram(const json::Items& pieces, std::optional<uint32_t> unknown, bool byte_fallback);

    void tokenize(std::string_view word, TokenBuffer& out) const override;
    size_t tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool raw_bytes,
                           TokenBuffer& out) const override;
    void use_cache() override { cache_ = std::make_unique<WordCache>(WordCache::kMostBytes); }
    bool compiles() const override { return true; }
    void write(compiled::Writer& writer) override;
    void read(compiled::Reader& reader) override;

 private:
    // In a compiled file.
    struct Facts {
        uint32_t unknown;  // kNoId for none
        uint32_t reserved;
    };

    bool recall(const WordKey& key, std::string_view word, TokenBuffer& out) const;
    void learn(const WordKey& key, std::string_view word, TokenBuffer& out) const;
    // Where tokens go: a TokenBuffer or a SymbolRoom.
    template <class Out>
    void split(std::string_view word, Out& out) const;
    void read(const json::Items& pieces);
    void build_trie();
    void prepare();
    void find_best(std::string_view word, Arrival* best) const;
    template <class Out>
    void emit(std::string_view word, const Arrival* best, Out& out) const;
    uint32_t number_of(std::string_view word) const;
    template <class Out>
    void add_unknown(std::string_view run, Out& out) const;
    uint32_t unknown_id() const;

    // What is known of a word that is itself a token.
    enum Whole : uint8_t { kUntried, kWhole, kSplit };

    DoubleArray trie_;
    FlatArray<double> scores_;  // by id
    double unknown_score_ = 0;
    bool all_cost_ = true;  // no score is above 0, so a way never gets better as it goes on
    std::optional<uint32_t> unknown_;
    std::vector<uint32_t> bytes_;  // the ids of <0x00> to <0xFF>, or empty if one is missing
    bool byte_fallback_;
    std::unique_ptr<WordCache> cache_;
    // By id: whether the token, as a word, is its own best split. Found when first asked for; every
    // thread that asks finds the same.
    std::unique_ptr<std::atomic<uint8_t>[]> whole_;
};

Unigram::Unigram(const json::Items& pieces, std::optional<uint32_t> unknown, bool byte_fallback)
    : unknown_(unknown), byte_fallback_(byte_fallback) {
    read(pieces);
    build_trie();
    prepare();
}

// What follows from the vocabulary, the scores and the unknown token.
void Unigram::prepare() {
    if (unknown_ && *unknown_ >= scores_.size()) {
        throw std::invalid_argument("model.unk_id is " + std::to_string(*unknown_) +
                                    "; the vocabulary has " + std::to_string(scores_.size()) +
                                    " tokens");
    }
    double lowest = std::numeric_limits<double>::infinity();
    all_cost_ = true;
    for (const double score : scores_.span()) {
        lowest = std::min(lowest, score);
        all_cost_ = all_cost_ && score <= 0;
    }
    unknown_score_ = lowest - kUnknownPenalty;
    bytes_.clear();
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (uint32_t byte = 0; byte < 256 && byte_fallback_; ++byte) {
        const char token[] = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
        bytes_.push_back(vocab_.find({token, sizeof token}));
    }
    whole_ = std::make_unique<std::atomic<uint8_t>[]>(scores_.size());
}

void Unigram::read(const json::Items& pieces) {
    if (pieces.size() >= DoubleArray::kNone) {
        throw std::invalid_argument("model.vocab has " + std::to_string(pieces.size()) +
                                    " tokens; the limit is " +
                                    std::to_string(DoubleArray::kNone - 1));
    }
    vocab_.reserve(pieces.size(), pieces.size() * 8);
    std::vector<double> scores;
    scores.reserve(pieces.size());
    // A block at a time: the memory for all of its tokens is asked for before the first is added.
    std::array<Vocab::Wanted, 16> block;
    for (auto at = pieces.begin(); at != pieces.end();) {
        const auto first = static_cast<uint32_t>(scores.size());
        uint32_t count = 0;
        for (; count < block.size() && at != pieces.end(); ++at, ++count) {
            const json::Items pair = (*at).elements("an entry of model.vocab");
            if (pair.size() != 2) {
                throw std::invalid_argument(
                    "an entry of model.vocab must be a token and its score");
            }
            auto part = pair.begin();
            block[count].read(vocab_, (*part).string("a token of model.vocab"));
            scores.push_back((*++part).number("a score of model.vocab"));
        }
        for (uint32_t i = 0; i < count; ++i) vocab_.add_again(block[i], first + i);
    }
    scores_.append(scores);
}

void Unigram::build_trie() {
    std::vector<std::pair<std::string_view, uint32_t>> strings;
    strings.reserve(scores_.size());
    for (uint32_t id = 0; id < scores_.size(); ++id) {
        const std::string_view text = vocab_.text(id);
        // A token that is there twice counts as the later one.
        if (!vocab_.repeats() || vocab_.find(text) == id) strings.emplace_back(text, id);
    }
    sort_by_bytes(strings);
    trie_ = DoubleArray(strings);
}

void Unigram::write(compiled::Writer& writer) {
    writer(Facts{unknown_.value_or(kNoId), 0});
    vocab_.visit(writer);
    writer(scores_);
    trie_.visit(writer);
}

void Unigram::read(compiled::Reader& reader) {
    Facts facts{};
    reader(facts);
    vocab_.visit(reader);
    reader(scores_);
    trie_.visit(reader);
    vocab_.check();
    trie_.check(vocab_.end_id());
    if (scores_.size() != vocab_.end_id() || vocab_.spelling() != Spelling::kPlain) {
        throw std::invalid_argument(
            "the compiled tokenizer has tokens without a score; make it anew from tokenizer.json");
    }
    unknown_.reset();
    if (facts.unknown != kNoId) unknown_ = facts.unknown;
    prepare();
}

uint32_t Unigram::unknown_id() const {
    if (unknown_) return *unknown_;
    throw std::invalid_argument(
        "the text has a character that no token covers, and model.unk_id is missing");
}

void Unigram::tokenize(std::string_view word, TokenBuffer& out) const {
    const Span whole{0, static_cast<uint32_t>(word.size())};
    const size_t ends = out.ends.size();
    tokenize_pieces(word, {&whole, 1}, false, out);
    out.ends.resize(ends);
}

size_t Unigram::tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool,
                                TokenBuffer& out) const {
    // Memory is asked for a block at a time.
    constexpr size_t kBlock = 16;
    WordKey keys[kBlock];
    for (size_t begin = 0; begin < pieces.size(); begin += kBlock) {
        const size_t count = std::min(kBlock, pieces.size() - begin);
        const auto word = [&](size_t i) {
            const Span piece = pieces[begin + i];
            return text.substr(piece.begin, piece.size());
        };
        for (size_t i = 0; i < count && cache_ != nullptr; ++i) {
            if (word(i).size() > WordCache::kLongestWord) continue;
            keys[i] = vocab_.key(word(i));
            cache_->prefetch(keys[i]);
        }
        for (size_t i = 0; i < count; ++i) {
            if (cache_ == nullptr || word(i).size() > WordCache::kLongestWord) {
                split(word(i), out);
            } else if (!recall(keys[i], word(i), out)) {
                learn(keys[i], word(i), out);
            }
            if (out.want_lengths) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
        }
    }
    return pieces.size();
}

bool Unigram::recall(const WordKey& key, std::string_view word, TokenBuffer& out) const {
    const std::span<const uint32_t> tokens = cache_->find(key, word);
    for (const uint32_t token : tokens) out.add(WordCache::id(token), WordCache::length(token));
    return !tokens.empty();
}

void Unigram::learn(const WordKey& key, std::string_view word, TokenBuffer& out) const {
    SymbolRoom row(word.size());
    split(word, row);
    row.give(out);
    // Fallback bytes that stand for a run together have no place in the cache.
    const bool plain = std::all_of(row.lengths().begin(), row.lengths().end(), [](uint32_t length) {
        return length <= WordCache::kLongestWord;
    });
    if (plain) cache_->add(key, word, row.ids(), row.lengths());
}

template <class Out>
void Unigram::split(std::string_view word, Out& out) const {
    // With a cache a word seldom comes twice, and finding its best way tells whether it is a token.
    const uint32_t id = cache_ == nullptr ? number_of(word) : DoubleArray::kNone;
    if (id != DoubleArray::kNone && whole_[id].load(std::memory_order_relaxed) == kWhole) {
        return out.add(id, static_cast<uint32_t>(word.size()));
    }
    if (word.size() <= kShortWord) {
        Arrival best[kShortWord + 1];
        find_best(word, best);
        emit(word, best, out);
        if (id != DoubleArray::kNone && id != unknown_) {
            const bool alone = best[word.size()].start == 0;
            whole_[id].store(alone ? kWhole : kSplit, std::memory_order_relaxed);
        }
    } else {
        std::vector<Arrival> best(word.size() + 1);
        find_best(word, best.data());
        emit(word, best.data(), out);
    }
}

// Left to right; of several best ways to a position the first found stays, as in the reference.
// Where no score is above 0, a way that is no better than one to the end already leads nowhere.
void Unigram::find_best(std::string_view word, Arrival* best) const {
    const auto size = static_cast<uint32_t>(word.size());
    for (uint32_t at = 0; at <= size; ++at) best[at] = {0, kNoId, 0};
    for (uint32_t start = 0; start < size;) {
        const double so_far = best[start].score;
        const uint32_t character =
            start + static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(word[start])));
        if (all_cost_ && best[size].start != kNoId &&
            (best[start].start == kNoId || so_far <= best[size].score) && start > 0) {
            start = character;
            continue;
        }
        bool covered = false;
        DoubleArray::Walk walk(trie_);
        for (uint32_t at = start; at < size;) {
            if (!walk.step(static_cast<unsigned char>(word[at]))) break;
            ++at;
            const uint32_t id = walk.number();
            if (id == DoubleArray::kNone) continue;
            const double score = scores_[id] + so_far;
            Arrival& target = best[at];
            if (target.start == kNoId || score > target.score) target = {score, start, id};
            covered = covered || at == character;
        }
        if (!covered) {
            const double score = unknown_score_ + so_far;
            Arrival& target = best[character];
            if (target.start == kNoId || score > target.score) {
                target = {score, start, unknown_id()};
            }
        }
        start = character;
    }
}

// Goes back along the best way; unknown neighbours become one.
template <class Out>
void Unigram::emit(std::string_view word, const Arrival* best, Out& out) const {
    constexpr size_t kFew = 64;
    Token few[kFew];
    std::vector<Token> many;
    size_t count = 0;
    for (auto end = static_cast<uint32_t>(word.size()); end > 0; end = best[end].start) ++count;
    if (count > kFew) many.resize(count);
    Token* const tokens = count > kFew ? many.data() : few;
    size_t i = count;
    for (auto end = static_cast<uint32_t>(word.size()); end > 0; end = best[end].start) {
        tokens[--i] = {best[end].start, end, best[end].id};
    }
    while (i < count) {
        const Token& token = tokens[i++];
        if (token.id != unknown_) {
            out.add(token.id, token.end - token.begin);
            continue;
        }
        uint32_t end = token.end;
        while (i < count && tokens[i].id == unknown_) end = tokens[i++].end;
        add_unknown(word.substr(token.begin, end - token.begin), out);
    }
}

// Of a token that reads `word`, or DoubleArray::kNone. Mostly the first character tells.
uint32_t Unigram::number_of(std::string_view word) const {
    DoubleArray::Walk walk(trie_);
    size_t at = 0;
    while (at < word.size() && walk.step(static_cast<unsigned char>(word[at]))) ++at;
    return at == word.size() ? walk.number() : DoubleArray::kNone;
}

template <class Out>
void Unigram::add_unknown(std::string_view run, Out& out) const {
    const auto size = static_cast<uint32_t>(run.size());
    // Several unknown characters in a row may well be a token, if a very unlikely one.
    if (const uint32_t id = number_of(run); id != DoubleArray::kNone) return out.add(id, size);
    const auto has_byte = [&](char c) { return bytes_[static_cast<unsigned char>(c)] != kNoId; };
    if (!byte_fallback_ || !std::all_of(run.begin(), run.end(), has_byte)) {
        return out.add(unknown_id(), size);
    }
    for (uint32_t i = 0; i < size; ++i) {
        // Each byte stands for the whole run.
        out.add(bytes_[static_cast<unsigned char>(run[i])],
                i + 1 < size ? size | TokenBuffer::kStays : size);
    }
}

}  // namespace

std::unique_ptr<Model> make_unigram(const json::Value& model) {
    const Options options(model, "model");
    std::optional<uint32_t> unknown;
    if (options.find("unk_id") != nullptr) unknown = options.number("unk_id", UINT32_MAX - 1);
    return std::make_unique<Unigram>(options.member("vocab").elements("model.vocab"), unknown,
                                     options.flag("byte_fallback", false));
}

}  // namespace edgeward
