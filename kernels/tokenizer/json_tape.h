// The words a JSON document is kept in: kind, place and size of one value in 64 bits.
//
// Knows: the layout, and memory that goes back to the system. Does not know: the grammar.
//
//   bits 60..62  kind
//   bit  63      string: it had escapes and stands in Document::unescaped_
//   bits 30..59  scalar: bytes of its text; container: number of elements or members
//   bits  0..29  scalar: where its text begins; container: words it takes, its own included
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeward::json {

enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

using Word = uint64_t;

inline constexpr Word kFieldMask = (Word{1} << 30) - 1;
inline constexpr Word kUnescaped = Word{1} << 63;

inline constexpr Word make_word(Kind kind, size_t low, size_t high) {
    return Word{static_cast<uint8_t>(kind)} << 60 | Word{high} << 30 | Word{low};
}
inline Kind kind_of(Word word) { return static_cast<Kind>(word >> 60 & 7); }
inline bool is_container(Word word) { return (word >> 60 & 7) >= static_cast<Word>(Kind::kArray); }
inline bool is_unescaped(Word word) { return (word & kUnescaped) != 0; }
inline size_t offset_of(Word word) { return word & kFieldMask; }
inline size_t size_of(Word word) { return word >> 30 & kFieldMask; }
// Words from this value to the next.
inline size_t words_of(Word word) { return is_container(word) ? word & kFieldMask : 1; }

// A growing array of words in pages of its own: growing moves page tables and not bytes (on
// Linux), and the end of the document gives all of it back at once.
class Tape {
 public:
    Tape() = default;
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    // Room for `words`; throws std::bad_alloc.
    void reserve(size_t words);
    void push(Word word) {
        if (size_ == capacity_) reserve(capacity_ * 2);
        words_[size_++] = word;
    }
    size_t size() const { return size_; }
    Word& operator[](size_t at) { return words_[at]; }
    const Word* data() const { return words_; }

 private:
    Word* words_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace edgeward::json
