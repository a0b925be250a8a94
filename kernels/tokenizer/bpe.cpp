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

Bpe::Bpe(Vocab vocab, MergeTable merges, BpeOptions options)
    : merges_(std::move(merges)), options_(std::move(options)) {
    vocab_ = std::move(vocab);
    fallback_.fill(kNoId);
    if (options_.byte_fallback) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            fallback_[byte] = vocab_.find(name);
        }
    }
    whole_ = std::make_unique<std::atomic<uint8_t>[]>(vocab_.end_id());
    part_at_marks_ = words_part_at_marks();
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

void Bpe::add_characters(std::string_view piece, std::vector<Symbol>& symbols) const {
    std::string spelled;
    // The unknown token waits here: byte tokens that follow it come out first, as in the reference.
    Symbol unknown{kNoId, 0};
    const auto flush = [&] {
        if (unknown.length > 0) symbols.push_back(unknown);
        unknown = {kNoId, 0};
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
            symbols.push_back({id, length});
            continue;
        }
        if (options_.byte_fallback) {
            bool all = true;
            for (unsigned char byte : character) all = all && fallback_[byte] != kNoId;
            if (all) {
                for (unsigned char byte : character) symbols.push_back({fallback_[byte], 1});
                continue;
            }
        }
        if (!options_.unk_token) continue;  // the character vanishes
        if (unknown.length > 0 && options_.fuse_unk) {
            unknown.length += length;
        } else {
            flush();
            unknown = {unknown_id(), length};
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
    const auto length = static_cast<uint32_t>(word.size());
    const auto spell = [&](std::vector<Symbol>& symbols) { add_characters(word, symbols); };
    if (const uint32_t id = vocab_.find(word); id != kNoId && is_whole(id, length, spell)) {
        out.add(id, length);
        return;
    }
    std::vector<Symbol> symbols;
    add_characters(word, symbols);
    merge_symbols(merges_, symbols);
    for (const Symbol& symbol : symbols) out.add(symbol.id, symbol.length);
}

bool Bpe::takes_bytes() const {
    return !options_.unk_token && !options_.byte_fallback && options_.prefix.empty() &&
           options_.suffix.empty();
}

void Bpe::prepare_bytes() {
    for (unsigned byte = 0; byte < 256; ++byte) {
        byte_ids_[byte] = vocab_.find(byte_level_char(static_cast<unsigned char>(byte)));
    }
    words_ = std::make_unique<Vocab>();
    words_->reserve(vocab_.size(), vocab_.size() * 8);
    for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
        if (!vocab_.has(id)) continue;
        if (const auto bytes = byte_level_decode(vocab_.text(id))) words_->add(*bytes, id);
    }
}

bool Bpe::add_bytes(std::string_view piece, std::vector<Symbol>& symbols) const {
    for (unsigned char byte : piece) {
        if (byte_ids_[byte] != kNoId) symbols.push_back({byte_ids_[byte], 1});
    }
    return symbols.size() == piece.size();
}

// A vocabulary entry need not be what its own characters merge to, so each is tried once.
template <class Spell>
bool Bpe::is_whole(uint32_t id, uint32_t length, Spell&& spell) const {
    const uint8_t known = whole_[id].load(std::memory_order_relaxed);
    if (known != kUnknown) return known == kYes;
    std::vector<Symbol> symbols;
    spell(symbols);
    merge_symbols(merges_, symbols);
    const bool yes = symbols.size() == 1 && symbols[0].id == id && symbols[0].length == length;
    whole_[id].store(yes ? kYes : kNo, std::memory_order_relaxed);
    return yes;
}

bool Bpe::tokenize_bytes(std::string_view piece, TokenBuffer& out) const {
    const auto length = static_cast<uint32_t>(piece.size());
    const auto spell = [&](std::vector<Symbol>& symbols) { add_bytes(piece, symbols); };
    if (const uint32_t id = words_->find(piece);
        id != kNoId && (options_.ignore_merges || is_whole(id, length, spell))) {
        out.add(id, length);
        return true;
    }
    std::vector<Symbol> symbols;
    symbols.reserve(piece.size());
    if (!add_bytes(piece, symbols) && out.want_lengths) return false;
    merge_symbols(merges_, symbols);
    for (const Symbol& symbol : symbols) out.add(symbol.id, symbol.length);
    return true;
}

}  // namespace edgeward
