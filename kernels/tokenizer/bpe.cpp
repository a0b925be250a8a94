#include "tokenizer/bpe.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581, SentencePiece's space

// Where the next word starts behind `from`: at a mark that does not follow another.
size_t next_word(std::string_view text, size_t from) {
    size_t at = from;
    while (text.substr(at).starts_with(kMark)) at += kMark.size();
    return std::min(text.find(kMark, at), text.size());
}

}  // namespace

// The symbols of a word; on the stack if they are few.
class Bpe::Row {
 public:
    // `room`: the most symbols that will be added.
    explicit Row(size_t room) {
        if (room <= kFew) return;
        large_ = std::make_unique_for_overwrite<uint32_t[]>(3 * room);
        ids_ = large_.get();
        lengths_ = ids_ + room;
        ranks_ = lengths_ + room;
    }
    void add(uint32_t id, uint32_t length) {
        ids_[count_] = id;
        lengths_[count_++] = length;
    }
    // The rank of the symbol added last but one with the one added last.
    void rank(uint32_t rank) { ranks_[count_ - 2] = rank; }

    void merge(const MergeTable& merges, bool ranked) {
        count_ = merge_row(merges, {ids_, lengths_, ranked ? ranks_ : nullptr, count_});
    }
    size_t size() const { return count_; }
    std::span<const uint32_t> ids() const { return {ids_, count_}; }
    std::span<const uint32_t> lengths() const { return {lengths_, count_}; }
    bool is_one(uint32_t id, size_t length) const {
        return count_ == 1 && ids_[0] == id && lengths_[0] == length;
    }
    void give(TokenBuffer& out) const {
        out.ids.insert(out.ids.end(), ids_, ids_ + count_);
        if (out.want_lengths) out.lengths.insert(out.lengths.end(), lengths_, lengths_ + count_);
    }

 private:
    static constexpr size_t kFew = 64;
    uint32_t small_[3 * kFew];
    std::unique_ptr<uint32_t[]> large_;
    uint32_t* ids_ = small_;
    uint32_t* lengths_ = small_ + kFew;
    uint32_t* ranks_ = small_ + 2 * kFew;
    size_t count_ = 0;
};

Bpe::Bpe(Vocab vocab, MergeTable merges, BpeOptions options)
    : merges_(std::move(merges)), options_(std::move(options)) {
    vocab_ = std::move(vocab);
    find_fallback();
    part_at_marks_ = words_part_at_marks();
}

void Bpe::find_fallback() {
    fallback_.fill(kNoId);
    if (options_.byte_fallback) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            fallback_[byte] = vocab_.find(name);
        }
    }
}

bool Bpe::words_part_at_marks() const {
    if (!options_.prefix.empty() || !options_.suffix.empty() || vocab_.find(kMark) == kNoId) {
        return false;
    }
    // What a merge makes is in the vocabulary, so it is enough to look there.
    for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
        if (!vocab_.has(id)) continue;
        const std::string_view text = vocab_.text(id);
        const size_t word = next_word(text, 0);
        if (word != 0 && word != text.size()) return false;
    }
    return true;
}

uint32_t Bpe::unknown_id() const {
    const uint32_t id = vocab_.find(*options_.unk_token);
    if (id == kNoId) {
        throw std::invalid_argument("the text needs the unknown token \"" + *options_.unk_token +
                                    "\", which the vocabulary does not hold");
    }
    return id;
}

size_t Bpe::room_for(std::string_view piece) const {
    return piece.size() * (1 + options_.prefix.size()) + options_.suffix.size();
}

void Bpe::add_characters(std::string_view piece, Row& row) const {
    std::string spelled;
    // The unknown token waits here: byte tokens that follow it come out first, as in the reference.
    uint32_t unknown = kNoId;
    uint32_t unknown_length = 0;
    const auto flush = [&] {
        if (unknown_length > 0) row.add(unknown, unknown_length);
        unknown_length = 0;
    };
    for (size_t i = 0; i < piece.size();) {
        const size_t n = utf8_length(static_cast<unsigned char>(piece[i]));
        std::string_view character = piece.substr(i, n);
        const auto length = static_cast<uint32_t>(n);
        const bool first = i == 0;
        i += n;
        const bool last = i == piece.size();
        if ((!first && !options_.prefix.empty()) || (last && !options_.suffix.empty())) {
            spelled = first ? "" : options_.prefix;
            spelled += character;
            if (last) spelled += options_.suffix;
            character = spelled;
        }
        if (const uint32_t id = vocab_.find(character); id != kNoId) {
            flush();
            row.add(id, length);
            continue;
        }
        if (options_.byte_fallback) {
            bool all = true;
            for (unsigned char byte : character) all = all && fallback_[byte] != kNoId;
            if (all) {
                for (unsigned char byte : character) row.add(fallback_[byte], 1);
                continue;
            }
        }
        if (!options_.unk_token) continue;  // the character vanishes
        if (unknown_length > 0 && options_.fuse_unk) {
            unknown_length += length;
        } else {
            flush();
            unknown = unknown_id();
            unknown_length = length;
        }
    }
    flush();
}

void Bpe::tokenize(std::string_view piece, TokenBuffer& out) const {
    if (options_.ignore_merges) {
        if (const uint32_t id = vocab_.find(piece); id != kNoId) {
            out.add(id, static_cast<uint32_t>(piece.size()));
            return;
        }
    }
    if (!part_at_marks_) return tokenize_word(piece, out);
    for (size_t begin = 0; begin < piece.size();) {
        const size_t end = next_word(piece, begin);
        tokenize_word(piece.substr(begin, end - begin), out);
        begin = end;
    }
}

void Bpe::tokenize_word(std::string_view word, TokenBuffer& out) const {
    const auto spell = [&](Row& row) {
        add_characters(word, row);
        row.merge(merges_, false);
    };
    if (const WordSlot* slot = vocab_.find_slot(word);
        slot != nullptr && is_whole(*slot, word.size(), spell)) {
        out.add(WordTable::id(*slot), static_cast<uint32_t>(word.size()));
        return;
    }
    Row row(room_for(word));
    spell(row);
    row.give(out);
}

void Bpe::use_cache() { cache_ = std::make_unique<WordCache>(WordCache::kMostBytes); }

void Bpe::find_bytes() {
    all_bytes_ = true;
    for (unsigned byte = 0; byte < 256; ++byte) {
        byte_ids_[byte] = vocab_.find(byte_level_char(static_cast<unsigned char>(byte)));
        all_bytes_ = all_bytes_ && byte_ids_[byte] != kNoId;
    }
}

void Bpe::prepare_bytes() {
    find_bytes();
    if (byte_ranks_.borrowed()) return;
    byte_ranks_.resize(size_t{256} * 256, kNoRank);
    uint32_t* rank = byte_ranks_.own();
    for (const uint32_t left : byte_ids_) {
        for (const uint32_t right : byte_ids_) {
            if (left != kNoId && right != kNoId) *rank = merges_.rank(left, right);
            ++rank;
        }
    }
}

void Bpe::add_bytes(std::string_view piece, Row& row) const {
    const uint32_t* ranks = byte_ranks_.data();
    unsigned before = 0;
    for (unsigned char byte : piece) {
        if (byte_ids_[byte] == kNoId) continue;
        row.add(byte_ids_[byte], 1);
        if (row.size() > 1) row.rank(ranks[before << 8 | byte]);
        before = byte;
    }
}

// A vocabulary entry need not be what its own characters merge to, so each is tried once.
template <class Spell>
bool Bpe::is_whole(const WordSlot& slot, size_t length, Spell&& spell) const {
    const Whole known = WordTable::whole(slot);
    if (known != Whole::kUnknown) return known == Whole::kYes;
    Row row(options_.take_bytes() ? length
                                  : length * (1 + options_.prefix.size()) + options_.suffix.size());
    spell(row);
    const bool yes = row.is_one(WordTable::id(slot), length);
    vocab_.words().settle(slot, yes ? Whole::kYes : Whole::kNo);
    return yes;
}

bool Bpe::lacks_a_byte(std::string_view piece) const {
    return !all_bytes_ && std::any_of(piece.begin(), piece.end(), [&](char c) {
        return byte_ids_[static_cast<unsigned char>(c)] == kNoId;
    });
}

bool Bpe::tokenize_bytes(std::string_view piece, TokenBuffer& out) const {
    const Span whole{0, static_cast<uint32_t>(piece.size())};
    const bool done = tokenize_pieces(piece, {&whole, 1}, true, out) == 1;
    if (done && out.want_lengths) out.ends.pop_back();
    return done;
}

// A word that is no vocabulary entry, or one that its own bytes do not give.
void Bpe::cut_bytes(std::string_view piece, const WordKey& key, TokenBuffer& out) const {
    if (cache_ != nullptr) {
        if (const auto tokens = cache_->find(key, piece); !tokens.empty()) {
            for (const uint32_t token : tokens) {
                out.add(WordCache::id(token), WordCache::length(token));
            }
            return;
        }
    }
    Row row(piece.size());
    add_bytes(piece, row);
    row.merge(merges_, true);
    row.give(out);
    if (cache_ != nullptr) cache_->add(key, piece, row.ids(), row.lengths());
}

size_t Bpe::tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool raw_bytes,
                            TokenBuffer& out) const {
    if (!raw_bytes) return Model::tokenize_pieces(text, pieces, raw_bytes, out);
    // Memory is asked for a block at a time: first the slots of the vocabulary, then the cache's.
    constexpr size_t kBlock = 16;
    WordKey keys[kBlock];
    const WordSlot* slots[kBlock];
    const WordTable& words = vocab_.words();
    for (size_t from = 0; from < pieces.size(); from += kBlock) {
        const size_t count = std::min(kBlock, pieces.size() - from);
        const Span* const block = pieces.data() + from;
        for (size_t i = 0; i < count; ++i) {
            const char* const word = text.data() + block[i].begin;
            const size_t size = block[i].size();
            keys[i] = text.size() - block[i].begin >= 16 ? words.key_of_readable(word, size)
                                                         : words.key({word, size});
            words.prefetch(keys[i]);
        }
        for (size_t i = 0; i < count; ++i) {
            const std::string_view word = text.substr(block[i].begin, block[i].size());
            slots[i] = vocab_.find(keys[i], word);
            if (slots[i] == nullptr && cache_ != nullptr) cache_->prefetch(keys[i]);
        }
        for (size_t i = 0; i < count; ++i) {
            const std::string_view word = text.substr(block[i].begin, block[i].size());
            const auto spell = [&](Row& row) {
                add_bytes(word, row);
                row.merge(merges_, true);
            };
            if (slots[i] != nullptr &&
                (options_.ignore_merges || is_whole(*slots[i], word.size(), spell))) {
                out.add(WordTable::id(*slots[i]), static_cast<uint32_t>(word.size()));
            } else if (out.want_lengths && lacks_a_byte(word)) {
                return from + i;
            } else {
                cut_bytes(word, keys[i], out);
            }
            if (out.want_lengths) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
        }
    }
    return pieces.size();
}

}  // namespace edgeward
