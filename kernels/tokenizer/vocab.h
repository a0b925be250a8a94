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

    // A token's string made ready to be looked for or added, with the memory for that asked for: a
    // file's tokens are taken a block at a time. Not for longer than the string.
    class Wanted {
     public:
        Wanted() = default;
        Wanted(const Vocab& vocab, std::string_view token) { read(vocab, token); }
        Wanted(const Wanted&) = delete;
        Wanted& operator=(const Wanted&) = delete;

        void read(const Vocab& vocab, std::string_view token);
        std::string_view token() const { return token_; }

     private:
        friend class Vocab;
        std::string_view token_;
        std::string_view word_;  // the bytes it spells in a byte-level vocabulary, or itself
        bool spelled_ = false;   // no bytes are meant: a character is outside the alphabet
        uint64_t seed_ = 0;      // of key_
        WordKey key_;
        char small_[64];
        std::string large_;
    };

    // Throws std::invalid_argument when the string or the id is there already, or the id is too
    // large.
    void add(const Wanted& wanted, uint32_t id);
    void add(std::string_view token, uint32_t id) { add(Wanted(*this, token), id); }

    // The same, but the string may be there already: then find gives the new id from now on, and
    // both count.
    void add_again(const Wanted& wanted, uint32_t id);
    // Whether some string was.
    bool repeats() const { return head_.repeated > 0; }

    // kNoId when absent.
    uint32_t find(std::string_view token) const;
    uint32_t find(const Wanted& wanted) const;
    // Its slot, or nullptr.
    const WordSlot* find_slot(std::string_view token) const {
        return find_slot(Wanted(*this, token));
    }
    const WordSlot* find_slot(const Wanted& wanted) const;

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

    Head head_;
    FlatArray<char> arena_;
    FlatArray<uint32_t> places_;  // by id, in arena_
    WordTable words_;
};

}  // namespace edgeward
