// How BPE takes the words of a text: vocabulary entries whole, other words from the cache, and what
// is new through the merge loop.
#include <algorithm>

#include "tokenizer/bpe.h"
#include "tokenizer/marks.h"
#include "tokenizer/symbol_room.h"

namespace edgeward {
void Bpe::add_bytes(std::string_view piece, SymbolRoom& room) const {
    const uint32_t* ranks = byte_ranks_.data();
    unsigned before = 0;
    for (unsigned char byte : piece) {
        if (byte_ids_[byte] == kNoId) continue;
        room.add(byte_ids_[byte], 1);
        if (room.size() > 1) room.rank(ranks[before << 8 | byte]);
        before = byte;
    }
}

void Bpe::spell(std::string_view word, bool raw_bytes, SymbolRoom& room) const {
    if (raw_bytes) {
        add_bytes(word, room);
        return room.merge(merges_, true);
    }
    for (size_t begin = 0; begin < word.size();) {
        const size_t end = next_cut(word, begin);
        const std::string_view segment = word.substr(begin, end - begin);
        begin = end;
        if (segment.size() < word.size()) {
            const WordSlot* slot = vocab_.find(vocab_.key(segment), segment);
            if (slot != nullptr && is_whole(*slot, segment, false)) {
                room.add(WordTable::id(*slot), static_cast<uint32_t>(segment.size()));
                continue;
            }
        }
        const size_t from = room.size();
        add_characters(segment, room);
        room.merge(merges_, false, from);
    }
}

size_t Bpe::room_for(std::string_view word, bool raw_bytes) const {
    if (raw_bytes) return word.size();
    return word.size() * (1 + options_.prefix.size()) + options_.suffix.size();
}

// A vocabulary entry need not be what its own characters merge to, so each is tried once.
bool Bpe::is_whole(const WordSlot& slot, std::string_view word, bool raw_bytes) const {
    const Whole known = WordTable::whole(slot);
    if (known != Whole::kUnknown) return known == Whole::kYes;
    SymbolRoom room(room_for(word, raw_bytes));
    spell(word, raw_bytes, room);
    const bool yes = room.is_one(WordTable::id(slot), word.size());
    vocab_.words().settle(slot, yes ? Whole::kYes : Whole::kNo);
    return yes;
}

// A word that is no vocabulary entry, or one that its own symbols do not give.
void Bpe::cut(std::string_view word, const WordKey& key, bool raw_bytes, TokenBuffer& out) const {
    if (cache_ != nullptr) {
        if (const auto tokens = cache_->find(key, word); !tokens.empty()) {
            for (const uint32_t token : tokens) {
                out.add(WordCache::id(token), WordCache::length(token));
            }
            return;
        }
    }
    SymbolRoom room(room_for(word, raw_bytes));
    spell(word, raw_bytes, room);
    room.give(out);
    if (cache_ != nullptr) cache_->add(key, word, room.ids(), room.lengths());
}

bool Bpe::lacks_a_byte(std::string_view word) const {
    return !all_bytes_ && std::any_of(word.begin(), word.end(), [&](char c) {
        return byte_ids_[static_cast<unsigned char>(c)] == kNoId;
    });
}

size_t Bpe::take_block(const WordBlock& block, bool raw_bytes, bool want_ends,
                       TokenBuffer& out) const {
    for (size_t i = 0; i < block.size(); ++i) {
        const std::string_view word = block.word(i);
        const WordSlot* const slot = block.slot(i);
        if (slot != nullptr &&
            ((options_.ignore_merges && !part_at_marks_) || is_whole(*slot, word, raw_bytes))) {
            out.add(WordTable::id(*slot), static_cast<uint32_t>(word.size()));
        } else if (raw_bytes && out.want_lengths && lacks_a_byte(word)) {
            return i;
        } else {
            cut(word, block.key(i), raw_bytes, out);
        }
        if (want_ends) out.ends.push_back(static_cast<uint32_t>(out.ids.size()));
    }
    return block.size();
}

bool Bpe::tokenize_bytes(std::string_view piece, TokenBuffer& out) const {
    const Span whole{0, static_cast<uint32_t>(piece.size())};
    return take_block(WordBlock(vocab_, cache_.get(), piece, {&whole, 1}), true, false, out) == 1;
}

void Bpe::tokenize(std::string_view piece, TokenBuffer& out) const {
    if (options_.ignore_merges || vocab_.spelling() != Spelling::kPlain) {
        const WordSlot* slot = vocab_.find_slot(piece);
        if (slot != nullptr && (options_.ignore_merges || is_whole(*slot, piece, false))) {
            out.add(WordTable::id(*slot), static_cast<uint32_t>(piece.size()));
            return;
        }
    }
    if (vocab_.spelling() != Spelling::kPlain) {
        // Rare: what the cache knows are raw bytes.
        SymbolRoom room(room_for(piece, false));
        spell(piece, false, room);
        room.give(out);
        return;
    }
    Span words[WordBlock::kSize];
    for (size_t begin = 0; begin < piece.size();) {
        size_t count = 0;
        for (; count < WordBlock::kSize && begin < piece.size(); ++count) {
            const size_t end = part_at_marks_ ? next_word(piece, begin) : piece.size();
            words[count] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
            begin = end;
        }
        take_block(WordBlock(vocab_, cache_.get(), piece, {words, count}), false, false, out);
    }
}

size_t Bpe::tokenize_pieces(std::string_view text, std::span<const Span> pieces, bool raw_bytes,
                            TokenBuffer& out) const {
    const bool plain = vocab_.spelling() == Spelling::kPlain;
    if (!raw_bytes && (!plain || part_at_marks_ || options_.ignore_merges)) {
        return Model::tokenize_pieces(text, pieces, raw_bytes, out);
    }
    return take_in_blocks(vocab_, cache_.get(), text, pieces, [&](const WordBlock& block) {
        return take_block(block, raw_bytes, out.want_lengths, out);
    });
}

}  // namespace edgeward
