#include "tokenizer/vocab.h"

#include <stdexcept>

#include "tokenizer/hash.h"

namespace edgeward {

Vocab::Vocab() : seed_(random_seed()) { grow(64); }

void Vocab::reserve(size_t tokens, size_t bytes) {
    size_t slots = slots_.size();
    while (slots < tokens * 2) slots *= 2;
    if (slots != slots_.size()) grow(slots);
    entries_.reserve(tokens);
    arena_.reserve(bytes);
}

void Vocab::grow(size_t slots) {
    slots_.assign(slots, Slot{});
    for (uint32_t id = 0; id < entries_.size(); ++id) {
        if (has(id)) place(hash_bytes(text(id), seed_), id);
    }
}

void Vocab::place(uint64_t hash, uint32_t id) {
    const size_t mask = slots_.size() - 1;
    size_t at = hash & mask;
    while (slots_[at].id != kNoId) at = (at + 1) & mask;
    slots_[at] = {static_cast<uint32_t>(hash >> 32), id};
}

void Vocab::add(std::string_view token, uint32_t id) {
    if (id > kMaxId) {
        throw std::invalid_argument("token id " + std::to_string(id) +
                                    " is too large; the limit is " + std::to_string(kMaxId));
    }
    if (has(id)) {
        throw std::invalid_argument("token id " + std::to_string(id) + " is given to both \"" +
                                    std::string(text(id)) + "\" and \"" + std::string(token) +
                                    "\"");
    }
    if (find(token) != kNoId) {
        throw std::invalid_argument("token \"" + std::string(token) + "\" has two ids, " +
                                    std::to_string(find(token)) + " and " + std::to_string(id));
    }
    if ((size_ + 1) * 2 > slots_.size()) grow(slots_.size() * 2);
    if (id >= entries_.size()) entries_.resize(id + 1);
    entries_[id] = {static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(token.size())};
    arena_.append(token);
    place(hash_bytes(token, seed_), id);
    ++size_;
}

uint32_t Vocab::find(std::string_view token) const {
    const uint64_t hash = hash_bytes(token, seed_);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    const size_t mask = slots_.size() - 1;
    for (size_t at = hash & mask; slots_[at].id != kNoId; at = (at + 1) & mask) {
        if (slots_[at].tag == tag && text(slots_[at].id) == token) return slots_[at].id;
    }
    return kNoId;
}

}  // namespace edgeward
