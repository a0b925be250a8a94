// Words that a model has already cut, with their tokens: bounded, and shared by all threads.
//
// Knows: word keys, tokens. Does not know: how a word is cut. Entries are written once and never
// change, so a search takes no lock; when the room is used up, nothing more is learned.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "tokenizer/word_table.h"

namespace edgeward {

class WordCache {
 public:
    static constexpr size_t kLongestWord = 128;
    static constexpr size_t kMostTokens = 64;

    // Takes `bytes` of address space, at most kMostBytes; memory is used as words come in.
    explicit WordCache(size_t bytes);

    // A token: its id, and above 24 bits the number of bytes it covers.
    static uint32_t id(uint32_t token) { return token & 0xFFFFFF; }
    static uint32_t length(uint32_t token) { return token >> 24; }

    void prefetch(const WordKey& key) const { __builtin_prefetch(index_.get() + first(key)); }
    // The tokens of `word`; empty when it is not there.
    std::span<const uint32_t> find(const WordKey& key, std::string_view word) const;
    // Learns a word, unless it or its tokens are too many or the room is used up.
    void add(const WordKey& key, std::string_view word, std::span<const uint32_t> ids,
             std::span<const uint32_t> lengths);

    static constexpr size_t kMostBytes = size_t{4} << 20;

 private:
    // An index slot holds where an entry lies, in units of 8 bytes, and above that some bits of
    // the word's hash; 0 is empty.
    static constexpr uint32_t kPlaceBits = 19;
    static constexpr uint32_t kPlaces = (1u << kPlaceBits) - 1;
    static constexpr size_t kProbes = 8;
    static_assert(kMostBytes / 8 <= size_t{kPlaces} + 1);

    struct Entry {
        uint64_t head;
        uint32_t tail;
        uint16_t count;
        uint16_t size;  // of the word
        // Then the tokens and, unless the key holds it, the word.
        const uint32_t* tokens() const { return reinterpret_cast<const uint32_t*>(this + 1); }
        const char* word() const { return reinterpret_cast<const char*>(tokens() + count); }
    };
    static_assert(sizeof(Entry) == 16);

    struct Free {
        void operator()(void* p) const { std::free(p); }
    };
    // The table of words uses the high half of the hash, this one the low half.
    size_t first(const WordKey& key) const { return key.hash & mask_; }
    static uint32_t mark(const WordKey& key) {
        return static_cast<uint32_t>(key.hash >> 19 & 0x1FFF) << kPlaceBits;
    }
    uint32_t load(size_t at) const {
        return std::atomic_ref(index_[at]).load(std::memory_order_acquire);
    }

    std::unique_ptr<uint32_t[], Free> index_;
    std::unique_ptr<char[], Free> arena_;
    size_t mask_;
    uint32_t end_;                   // of arena_, in units of 8 bytes
    std::atomic<uint32_t> used_{1};  // units; 0 is no place
};

inline std::span<const uint32_t> WordCache::find(const WordKey& key, std::string_view word) const {
    const uint32_t mark = WordCache::mark(key);
    const size_t at = first(key);
    for (size_t i = 0; i < kProbes; ++i) {
        const uint32_t slot = load(at + i);
        if (slot == 0) return {};
        if ((slot & ~kPlaces) != mark) continue;
        const auto& entry =
            *reinterpret_cast<const Entry*>(arena_.get() + size_t{slot & kPlaces} * 8);
        if (entry.head != key.head || entry.size != word.size()) continue;
        if (key.is_long() ? std::memcmp(entry.word(), word.data(), word.size()) == 0
                          : entry.tail == key.tail) {
            return {entry.tokens(), entry.count};
        }
    }
    return {};
}

}  // namespace edgeward
