// A strict JSON reader (RFC 8259) for tokenizer files of tens of megabytes.
//
// Knows: the grammar, its limits, and where in the text an error stands. Does not know: tokenizers.
// Refused with std::invalid_argument: anything after the value, comments, trailing commas, invalid
// UTF-8, raw control characters, lone surrogates, a name given twice in one object, nesting deeper
// than kMaxDepth, more than kMaxBytes of text. There is no recursion, so depth costs no stack.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edgeward::json {

inline constexpr size_t kMaxDepth = 128;
inline constexpr size_t kMaxBytes = size_t{1} << 30;

enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

const char* kind_name(Kind kind);

class Document;

// One value, and in an object the name before it. Small and trivially copyable; lives as long as
// its Document.
class Value {
 public:
    Kind kind() const { return kind_; }
    bool is_null() const { return kind_ == Kind::kNull; }
    bool is_string() const { return kind_ == Kind::kString; }
    bool is_array() const { return kind_ == Kind::kArray; }
    bool is_object() const { return kind_ == Kind::kObject; }
    bool is_bool() const { return kind_ == Kind::kTrue || kind_ == Kind::kFalse; }
    bool is_number() const { return kind_ == Kind::kNumber; }

    // The name of this member; empty for array elements and the root.
    std::string_view name() const { return {name_, name_size_}; }

    // Each throws std::invalid_argument naming `what` when the kind or the range is another.
    bool boolean(std::string_view what) const;
    std::string_view string(std::string_view what) const;
    double number(std::string_view what) const;
    // A whole number without fraction or exponent, at most `max`.
    uint64_t unsigned_integer(std::string_view what, uint64_t max) const;
    std::span<const Value> array(std::string_view what) const;
    std::span<const Value> object(std::string_view what) const;

    // The member called `key`, or nullptr; of an object only.
    const Value* find(std::string_view key) const;

 private:
    friend class Reader;
    friend class Document;
    std::string_view text() const { return {data_, size_}; }

    const char* name_ = nullptr;
    union {
        const char* data_ = nullptr;  // string or number text
        const Value* children_;       // array or object
    };
    uint32_t name_size_ = 0;
    uint32_t size_ = 0;
    Kind kind_ = Kind::kNull;
};

// Owns the text (escapes are undone in place) and the values.
class Document {
 public:
    explicit Document(std::string_view text);
    const Value& root() const { return *root_; }

 private:
    friend class Reader;
    std::string text_;
    std::vector<std::unique_ptr<Value[]>> pages_;
    const Value* root_ = nullptr;
};

}  // namespace edgeward::json
