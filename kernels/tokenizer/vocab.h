// Strings and their ids. Knows: a two-way table, immutable once filled. Does not know: merging,
// scores, added tokens.
//
// A byte-level vocabulary (Spelling::kByteLevel) is kept by the bytes that its strings stand for,
// so that one table serves both the text and the file's spelling of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tokenizer/flat_array.h"
#include "tokenizer/word_table.h"

namespace edgeward {

inline constexpr uint32_t kNoId = UINT32_MAX;

// Larger ids are refused: the table by id is dense, and no vocabulary comes near.
inline constexpr uint32_t kMaxId = (1u << 24) - 1;

enum class Spelling : uint32_t { kPlain = 0, kByteLevel = 1 };

class Vocab {
 public:
    explicit Vocab(Spelling spelling = Spelling::kPlain);

    // Room for strings of `bytes` bytes in all.
    void reserve(size_t tokens, size_t bytes);

    // Throws std::invalid_argument when the string or the id is there already, or the id is too
    // large.
    void add(std::string_view token, uint32_t id);

    // The same, but the string may be there already: then find gives the new id from now on, and
    // both count.
    void add_again(std::string_view token, uint32_t id);

    // kNoId when absent.
    uint32_t find(std::string_view token) const;
    // Asks for the memory that find(token) will look at.
    void prefetch(std::string_view token) const;
    // Its slot, or nullptr.
    const WordSlot* find_slot(std::string_view token) const;

    bool has(uint32_t id) const { return id < places_.size() && places_[id] != kNoId; }
    // The string of `id`, which must be there.
    std::string_view text(uint32_t id) const { return record(places_[id]); }

    size_t size() const { return words_.size() + head_.repeated; }
    // One more than the largest id.
    uint32_t end_id() const { return static_cast<uint32_t>(places_.size()); }

    Spelling spelling() const { return head_.spelling; }

    // The hot way in, for models: a word of the text, which is raw bytes if the spelling is
    // byte-level, and the string itself if it is plain.
    WordKey key(std::string_view word) const { return words_.key(word); }
    const WordSlot* find(const WordKey& key, std::string_view word) const {
        return words_.find(key, [&](uint32_t place) { return record(place) == word; });
    }
    const WordTable& words() const { return words_; }

    // See WordTable::visit and check.
    template <class Visit>
    void visit(Visit&& visit) {
        visit(head_);
        visit(arena_);
        visit(places_);
        words_.visit(visit);
    }
    void check() const;

 private:
    struct Head {
        Spelling spelling = Spelling::kPlain;
        uint32_t repeated = 0;  // ids whose string is found under a later one
    };
    // A record is the length of a string, seven bits a byte, and its bytes.
    std::string_view record(uint32_t place) const {
        const char* p = arena_.data() + place;
        uint32_t size = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(*p++);
            size |= (byte & 0x7Fu) << shift;
            if (byte < 0x80) return {p, size};
        }
    }
    uint32_t keep(std::string_view string);
    bool is_record(uint32_t place) const;
    uint32_t add_word(std::string_view word, bool spelled, uint32_t place, uint32_t id);

    Head head_;
    FlatArray<char> arena_;
    FlatArray<uint32_t> places_;  // by id, in arena_
    WordTable words_;
};

}  // namespace edgeward
