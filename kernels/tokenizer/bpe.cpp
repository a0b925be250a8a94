#include "tokenizer/bpe.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "tokenizer/byte_level.h"
#include "tokenizer/marks.h"
#include "tokenizer/symbol_room.h"
#include "tokenizer/utf8.h"

namespace edgeward {

Bpe::Bpe(Vocab vocab, MergeTable merges, BpeOptions options)
    : merges_(std::move(merges)), options_(std::move(options)) {
    vocab_ = std::move(vocab);
    find_fallback();
    if (vocab_.spelling() == Spelling::kPlain) {
        keep_characters();
        joints_ = find_joints();
        part_at_marks_ =
            joints_ != nullptr && vocab_.find(kMark) != kNoId && !joints_->before_mark();
    }
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

void Bpe::keep_characters() {
    character_pages_.fill(0);
    character_ids_.assign(kPage, kNoId);  // page 0: none of its characters is a token
    for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
        if (!vocab_.has(id)) continue;
        const std::string_view text = vocab_.text(id);
        if (text.empty() || text.size() > 3) continue;
        const Decoded c = utf8_decode(text.data());
        if (c.length != text.size()) continue;
        uint16_t& page = character_pages_[c.code / kPage];
        if (page == 0) {
            page = static_cast<uint16_t>(character_ids_.size() / kPage);
            character_ids_.resize(character_ids_.size() + kPage, kNoId);
        }
        character_ids_[page * kPage + c.code % kPage] = id;
    }
}

uint32_t Bpe::character_id(std::string_view character) const {
    if (character.size() > 3 || character_ids_.empty()) return vocab_.find(character);
    const char32_t code = utf8_decode(character.data()).code;
    return character_ids_[character_pages_[code / kPage] * kPage + code % kPage];
}

// Whether a piece may be cut where two characters meet that no token holds side by side. What a
// merge makes is a token, so no merge reaches across, as long as symbols are what they read: the
// unknown token and the byte tokens are not, and must not be parts of other tokens.
std::unique_ptr<Joints> Bpe::find_joints() const {
    if (!options_.prefix.empty() || !options_.suffix.empty()) return nullptr;
    // An unknown character that vanishes brings its neighbours together.
    const bool none_vanishes = options_.unk_token || std::find(fallback_.begin(), fallback_.end(),
                                                               kNoId) == fallback_.end();
    if (!none_vanishes) return nullptr;
    auto joints = std::make_unique<Joints>(vocab_.size());
    for (uint32_t id = 0; id < vocab_.end_id(); ++id) {
        if (!vocab_.has(id)) continue;
        const std::string_view text = vocab_.text(id);
        const bool is_byte = text.size() == 6 && text.starts_with("<0x");
        if (options_.byte_fallback && !is_byte && text.find("<0x") != text.npos) return nullptr;
        if (options_.unk_token && text != *options_.unk_token &&
            text.find(*options_.unk_token) != text.npos) {
            return nullptr;
        }
        joints->learn(text);
    }
    return joints;
}

size_t Bpe::next_cut(std::string_view text, size_t from) const {
    if (joints_ == nullptr) return text.size();
    const auto is_ascii = [&](size_t at) { return static_cast<unsigned char>(text[at]) < 0x80; };
    Decoded c = utf8_decode(text.data() + from);
    for (size_t at = from + c.length; at < text.size(); at += c.length) {
        char32_t before = c.code;
        if (before < 0x80) {
            while (at < text.size() && is_ascii(at) &&
                   joints_->joined(before, static_cast<unsigned char>(text[at]))) {
                before = static_cast<unsigned char>(text[at++]);
            }
            if (at == text.size()) break;
        }
        c = utf8_decode(text.data() + at);
        // An unknown character is not cut off: it may join an unknown one before it.
        if (!joints_->joined(before, c.code) && character_id(text.substr(at, c.length)) != kNoId) {
            return at;
        }
    }
    return text.size();
}

uint32_t Bpe::unknown_id() const {
    const uint32_t id = vocab_.find(*options_.unk_token);
    if (id == kNoId) {
        throw std::invalid_argument("the text needs the unknown token \"" + *options_.unk_token +
                                    "\", which the vocabulary does not hold");
    }
    return id;
}

void Bpe::add_characters(std::string_view piece, SymbolRoom& room) const {
    std::string spelled;
    // The unknown token waits here: byte tokens that follow it come out first, as in the reference.
    uint32_t unknown = kNoId;
    uint32_t unknown_length = 0;
    const auto flush = [&] {
        if (unknown_length > 0) room.add(unknown, unknown_length);
        unknown_length = 0;
    };
    for (size_t i = 0; i < piece.size();) {
        const size_t n = utf8_length(static_cast<unsigned char>(piece[i]));
        std::string_view character = piece.substr(i, n);
        const auto length = static_cast<uint32_t>(n);
        const bool first = i == 0;
        i += n;
        const bool last = i == piece.size();
        uint32_t id = kNoId;
        if ((!first && !options_.prefix.empty()) || (last && !options_.suffix.empty())) {
            spelled = first ? "" : options_.prefix;
            spelled += character;
            if (last) spelled += options_.suffix;
            character = spelled;
            id = vocab_.find(character);
        } else {
            id = character_id(character);
        }
        if (id != kNoId) {
            flush();
            room.add(id, length);
            continue;
        }
        if (options_.byte_fallback) {
            bool all = true;
            for (unsigned char byte : character) all = all && fallback_[byte] != kNoId;
            if (all) {
                for (unsigned char byte : character) room.add(fallback_[byte], 1);
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

}  // namespace edgeward
