#include "tokenizer/vocab.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/byte_level.h"

namespace edgeward {

void Vocab::Wanted::read(const Vocab& vocab, std::string_view token) {
    token_ = word_ = token;
    spelled_ = false;
    if (vocab.head_.spelling != Spelling::kPlain) {
        char* const room = token.size() <= sizeof small_ ? small_ : large_.assign(token).data();
        const size_t size = byte_level_decode(token, room);
        spelled_ = size == kNotByteLevel;
        if (!spelled_) word_ = {room, size};
    }
    seed_ = vocab.words_.seed();
    key_ = vocab.words_.key(word_, spelled_);
    vocab.words_.prefetch(key_);
}

Vocab::Vocab(Spelling spelling) { head_.spelling = spelling; }

void Vocab::reserve(size_t tokens, size_t bytes) {
    places_.reserve(tokens);
    arena_.reserve(bytes + tokens);
    words_.reserve(tokens, [&](uint32_t place) { return record(place); });
}

uint32_t Vocab::keep(std::string_view string) {
    if (arena_.size() + string.size() + 8 > UINT32_MAX) {
        throw std::invalid_argument("the vocabulary holds more than 4 GiB of text");
    }
    const auto place = static_cast<uint32_t>(arena_.size());
    char length[5];
    size_t n = 0;
    auto left = static_cast<uint32_t>(string.size());
    for (; left >= 0x80; left >>= 7) length[n++] = static_cast<char>(left | 0x80);
    length[n++] = static_cast<char>(left);
    arena_.append({length, n});
    arena_.append(string);
    return place;
}

void Vocab::add(const Wanted& wanted, uint32_t id) {
    const std::string_view token = wanted.token_;
    if (id > kMaxId) {
        throw std::invalid_argument("token id " + std::to_string(id) +
                                    " is too large; the limit is " + std::to_string(kMaxId));
    }
    if (has(id)) {
        throw std::invalid_argument("token id " + std::to_string(id) + " is given to both \"" +
                                    std::string(text(id)) + "\" and \"" + std::string(token) +
                                    "\"");
    }
    if (const WordSlot* slot = find_slot(wanted)) {
        throw std::invalid_argument("token \"" + std::string(token) + "\" has two ids, " +
                                    std::to_string(WordTable::id(*slot)) + " and " +
                                    std::to_string(id));
    }
    const uint32_t place = keep(token);
    if (id >= places_.size()) places_.resize(id + 1, kNoId);
    places_.own()[id] = place;
    const bool is_long = wanted.word_.size() > WordTable::kInline;
    const uint32_t text = is_long && wanted.word_ != token ? keep(wanted.word_) : place;
    words_.add(wanted.word_, wanted.spelled_, id, text, [&](uint32_t p) { return record(p); });
}

const WordSlot* Vocab::find_slot(const Wanted& wanted) const {
    const auto same = [&](uint32_t place) { return record(place) == wanted.word_; };
    if (wanted.seed_ == words_.seed()) return words_.find(wanted.key_, same);
    return words_.find(words_.key(wanted.word_, wanted.spelled_), same);
}

void Vocab::add_again(const Wanted& wanted, uint32_t id) {
    const WordSlot* slot = find_slot(wanted);
    if (slot == nullptr) return add(wanted, id);
    if (id > kMaxId || has(id)) {
        throw std::invalid_argument("token id " + std::to_string(id) + " of \"" +
                                    std::string(wanted.token_) + "\" is too large or given twice");
    }
    if (id >= places_.size()) places_.resize(id + 1, kNoId);
    places_.own()[id] = places_[WordTable::id(*slot)];
    words_.rename(*slot, id);
    ++head_.repeated;
}

uint32_t Vocab::find(std::string_view token) const { return find(Wanted(*this, token)); }

uint32_t Vocab::find(const Wanted& wanted) const {
    const WordSlot* slot = find_slot(wanted);
    return slot == nullptr ? kNoId : WordTable::id(*slot);
}

bool Vocab::is_record(uint32_t place) const {
    uint64_t size = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (place >= arena_.size()) return false;
        const auto byte = static_cast<unsigned char>(arena_[place++]);
        size |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return size <= arena_.size() - place;
    }
    return false;
}

void Vocab::check() const {
    const auto fail = [](const char* what) {
        throw std::invalid_argument(std::string("the vocabulary ") + what +
                                    "; make the compiled vocabulary anew");
    };
    if (head_.spelling > Spelling::kByteLevel) fail("is spelled in an unknown way");
    if (arena_.size() > UINT32_MAX || places_.size() > size_t{kMaxId} + 1) fail("is too large");
    words_.check();
    size_t tokens = 0;
    bool good = true;
    for (const uint32_t place : places_.span()) {
        tokens += place != kNoId;
        good = good && (place == kNoId || is_record(place));
    }
    if (!good) fail("points outside its text");
    if (tokens != size()) fail("has other tokens than words");
    if (tokens == 0) return;
    // Without branches on the slots, which nothing could predict: long words are put aside first.
    uint32_t bad = 0;
    const auto end = static_cast<uint32_t>(places_.size());
    const std::span<const WordSlot> slots = words_.slots();
    constexpr size_t kChunk = 256;
    uint32_t texts[kChunk];
    for (size_t from = 0; from < slots.size(); from += kChunk) {
        size_t count = 0;
        for (const WordSlot& slot : slots.subspan(from, std::min(kChunk, slots.size() - from))) {
            const uint32_t id = WordTable::id(slot);
            const uint32_t full = !WordTable::is_empty(slot);
            bad |= full & (uint32_t{id >= end} | (places_[std::min(id, end - 1)] == kNoId));
            texts[count] = slot.tail;
            count += full & static_cast<uint32_t>(WordTable::is_long(slot));
        }
        for (size_t i = 0; i < count; ++i) bad |= !is_record(texts[i]);
    }
    if (bad != 0) fail("has a word without a token, or one outside its text");
}

}  // namespace edgeward
