// A strict JSON reader (RFC 8259) for tokenizer files of tens of megabytes.
//
// Knows: the grammar, its limits, and where in the text an error stands. Does not know: tokenizers.
// Refused with std::invalid_argument: anything after the value, comments, trailing commas, invalid
// UTF-8, raw control characters, lone surrogates, a name given twice in one object, nesting deeper
// than kMaxDepth, more than kMaxBytes of text. There is no recursion, so depth costs no stack.
//
// A document is a tape of one 64-bit word a value (and one a name) in the order of the text, with
// strings left where they stand. Value is a comfortable view for the small parts of a file; Item
// walks a vocabulary of any size without a further byte of memory.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json_tape.h"

namespace edgeward::json {

inline constexpr size_t kMaxDepth = 128;
inline constexpr size_t kMaxBytes = size_t{1} << 30;
// Objects with more members are not searched for names given twice while they are read: who walks
// them with members() puts the names into a table anyway, and refuses there.
inline constexpr size_t kMaxCheckedMembers = 1024;

const char* kind_name(Kind kind);

class Document;
class Items;
class Value;

// One value, and in an object the name before it. Trivially copyable; lives as long as its
// Document and the text.
class Item {
 public:
    Item() = default;

    Kind kind() const { return kind_of(word_); }
    bool is_null() const { return kind() == Kind::kNull; }
    bool is_string() const { return kind() == Kind::kString; }
    bool is_array() const { return kind() == Kind::kArray; }
    bool is_object() const { return kind() == Kind::kObject; }
    bool is_bool() const { return kind() == Kind::kTrue || kind() == Kind::kFalse; }
    bool is_number() const { return kind() == Kind::kNumber; }

    // The name of this member; empty for array elements and the root.
    std::string_view name() const { return at_ != nullptr && named_ ? text(at_[-1]) : ""; }

    // Each throws std::invalid_argument naming `what` when the kind or the range is another.
    bool boolean(std::string_view what) const;
    std::string_view string(std::string_view what) const {
        if (!is_string()) wrong_kind(what, "a string");
        return text(word_);
    }
    double number(std::string_view what) const;
    // A whole number without fraction or exponent, at most `max`.
    uint64_t unsigned_integer(std::string_view what, uint64_t max) const;
    // One after the other. Names of members may repeat: see kMaxCheckedMembers.
    Items elements(std::string_view what) const;
    Items members(std::string_view what) const;

 protected:
    friend class Items;
    friend class Document;
    friend class Reader;
    Item(const Document* document, const Word* at, bool named)
        : document_(document), at_(at), word_(*at), named_(named) {}
    [[noreturn]] void wrong_kind(std::string_view what, const char* wanted) const;
    std::string_view text(Word word) const;
    Items children() const;

    const Document* document_ = nullptr;
    const Word* at_ = nullptr;
    Word word_ = 0;  // null
    bool named_ = false;
};

// What an array or object holds, for a range-for loop.
class Items {
 public:
    class Iterator {
     public:
        using value_type = Item;
        using difference_type = std::ptrdiff_t;

        Item operator*() const { return {document_, at_ + named_, named_}; }
        Iterator& operator++() {
            at_ += named_;
            at_ += words_of(*at_);
            return *this;
        }
        Iterator operator++(int) {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const { return at_ == other.at_; }

     private:
        friend class Item;
        const Document* document_ = nullptr;
        const Word* at_ = nullptr;
        bool named_ = false;
    };

    Iterator begin() const { return begin_; }
    Iterator end() const { return end_; }
    size_t size() const { return size_; }

 private:
    friend class Item;
    Iterator begin_;
    Iterator end_;
    size_t size_ = 0;
};

// An Item whose children can be asked for in any order. They are built when first wanted, 40 bytes
// each: not for vocabularies. Unlike the rest, that first time is for one thread alone.
class Value : public Item {
 public:
    std::span<const Value> array(std::string_view what) const;
    std::span<const Value> object(std::string_view what) const;

    // The member called `key`, or nullptr; of an object only.
    const Value* find(std::string_view key) const;

 private:
    friend class Document;
    std::span<const Value> built(std::string_view what) const;

    mutable const Value* children_ = nullptr;
};

// Owns the tape; borrows the text, which must outlive it.
class Document {
 public:
    explicit Document(std::string_view text);
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    const Value& root() const { return root_; }

 private:
    friend class Item;
    friend class Reader;
    friend class Value;

    void read();

    std::string_view text_;
    std::string unescaped_;  // strings that had escapes
    Tape tape_;
    Value root_;
    mutable std::vector<std::unique_ptr<Value[]>> built_;
};

inline std::string_view Item::text(Word word) const {
    const std::string_view source = is_unescaped(word) ? document_->unescaped_ : document_->text_;
    return {source.data() + offset_of(word), size_of(word)};
}

}  // namespace edgeward::json
