#include "tokenizer/json.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "tokenizer/hash.h"
#include "tokenizer/utf8.h"

namespace edgeward::json {
namespace {

[[noreturn]] void wrong_kind(std::string_view what, const char* wanted, Kind got) {
    throw std::invalid_argument(std::string(what) + " must be " + wanted + ", not " +
                                kind_name(got));
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

const char* kind_name(Kind kind) {
    switch (kind) {
        case Kind::kNull:
            return "null";
        case Kind::kFalse:
        case Kind::kTrue:
            return "true or false";
        case Kind::kNumber:
            return "a number";
        case Kind::kString:
            return "a string";
        case Kind::kArray:
            return "an array";
        case Kind::kObject:
            return "an object";
    }
    return "unknown";
}

bool Value::boolean(std::string_view what) const {
    if (!is_bool()) wrong_kind(what, "true or false", kind_);
    return kind_ == Kind::kTrue;
}

std::string_view Value::string(std::string_view what) const {
    if (!is_string()) wrong_kind(what, "a string", kind_);
    return text();
}

double Value::number(std::string_view what) const {
    if (!is_number()) wrong_kind(what, "a number", kind_);
    double value = 0;
    const auto [end, error] = std::from_chars(data_, data_ + size_, value);
    if (error != std::errc() || end != data_ + size_) {
        throw std::invalid_argument(std::string(what) + " is out of range: " + std::string(text()));
    }
    return value;
}

uint64_t Value::unsigned_integer(std::string_view what, uint64_t max) const {
    if (!is_number()) wrong_kind(what, "a whole number", kind_);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(data_, data_ + size_, value);
    if (error != std::errc() || end != data_ + size_ || value > max) {
        throw std::invalid_argument(std::string(what) + " is " + std::string(text()) +
                                    "; it must be a whole number from 0 to " + std::to_string(max));
    }
    return value;
}

std::span<const Value> Value::array(std::string_view what) const {
    if (!is_array()) wrong_kind(what, "an array", kind_);
    return {children_, size_};
}

std::span<const Value> Value::object(std::string_view what) const {
    if (!is_object()) wrong_kind(what, "an object", kind_);
    return {children_, size_};
}

const Value* Value::find(std::string_view key) const {
    for (const Value& member : object("a value with members")) {
        if (member.name() == key) return &member;
    }
    return nullptr;
}

// Fills a Document. Children of the open containers wait on one stack; when a container closes,
// its own are moved to a page of the document.
class Reader {
 public:
    explicit Reader(Document& document)
        : document_(document),
          begin_(document.text_.data()),
          p_(begin_),
          end_(begin_ + document.text_.size()) {}

    void read();

 private:
    struct Open {
        size_t first;  // index of its first child on the stack
        Value value;
    };

    [[noreturn]] void fail(const std::string& what) const {
        throw std::invalid_argument("not valid JSON: " + what + " at byte " +
                                    std::to_string(p_ - begin_) + " of " +
                                    std::to_string(end_ - begin_));
    }
    void skip_space() {
        while (p_ < end_ && is_space(*p_)) ++p_;
    }
    char peek(const char* wanted) {
        skip_space();
        if (p_ == end_) fail(std::string("the text ends where ") + wanted + " is expected");
        return *p_;
    }
    std::string_view read_string();
    char* read_escape(char* out);
    uint32_t read_hex4();
    void read_number(Value& value);
    void read_word(Value& value, std::string_view word, Kind kind);
    void read_name(Value& value);
    void open(Value value, Kind kind);
    void close();
    void check_names(std::span<const Value> members);

    Document& document_;
    char* begin_;
    char* p_;
    char* end_;
    std::vector<Value> done_;
    std::vector<Open> open_;
    Value* page_ = nullptr;
    size_t page_left_ = 0;
};

void Reader::read() {
    // An iteration reads one value, then as many closing brackets and one comma as follow it.
    for (;;) {
        Value value;
        if (!open_.empty() && open_.back().value.is_object()) read_name(value);
        switch (peek("a value")) {
            case '{':
                open(value, Kind::kObject);
                if (peek("a name or '}'") != '}') continue;
                break;
            case '[':
                open(value, Kind::kArray);
                if (peek("a value or ']'") != ']') continue;
                break;
            case '"': {
                const std::string_view text = read_string();
                value.kind_ = Kind::kString;
                value.data_ = text.data();
                value.size_ = static_cast<uint32_t>(text.size());
                done_.push_back(value);
                break;
            }
            case 't':
                read_word(value, "true", Kind::kTrue);
                break;
            case 'f':
                read_word(value, "false", Kind::kFalse);
                break;
            case 'n':
                read_word(value, "null", Kind::kNull);
                break;
            default:
                read_number(value);
        }
        for (;;) {
            if (open_.empty()) {
                skip_space();
                if (p_ != end_) fail("there is more text after the value");
                document_.pages_.push_back(std::make_unique<Value[]>(1));
                document_.pages_.back()[0] = done_.back();
                document_.root_ = document_.pages_.back().get();
                return;
            }
            const bool object = open_.back().value.is_object();
            const char c = peek(object ? "',' or '}'" : "',' or ']'");
            if (c == (object ? '}' : ']')) {
                ++p_;
                close();
                continue;
            }
            if (c != ',') fail(object ? "',' or '}' is expected" : "',' or ']' is expected");
            ++p_;
            break;
        }
    }
}

void Reader::read_name(Value& value) {
    if (peek("a name") != '"') fail("a name in quotes is expected");
    const std::string_view name = read_string();
    value.name_ = name.data();
    value.name_size_ = static_cast<uint32_t>(name.size());
    if (peek("':'") != ':') fail("':' is expected");
    ++p_;
}

std::string_view Reader::read_string() {
    char* const start = ++p_;
    // Most strings have no escape and stay where they are.
    while (p_ < end_ && *p_ != '"' && *p_ != '\\' && static_cast<unsigned char>(*p_) >= 0x20) ++p_;
    char* out = p_;
    while (p_ < end_ && *p_ != '"') {
        if (static_cast<unsigned char>(*p_) < 0x20) fail("a raw control character in a string");
        if (*p_ == '\\') {
            out = read_escape(out);
        } else {
            *out++ = *p_++;
        }
    }
    if (p_ == end_) fail("the text ends inside a string");
    ++p_;
    return {start, static_cast<size_t>(out - start)};
}

uint32_t Reader::read_hex4() {
    if (end_ - p_ < 4) fail("the text ends inside a \\u escape");
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(*p_);
        if (digit < 0) fail("a \\u escape needs four hexadecimal digits");
        code = code * 16 + static_cast<uint32_t>(digit);
        ++p_;
    }
    return code;
}

// An escape is never shorter than what it stands for, so the string is rewritten in place.
char* Reader::read_escape(char* out) {
    ++p_;
    if (p_ == end_) fail("the text ends inside an escape");
    const char c = *p_;
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const size_t at = kFrom.find(c); at != std::string_view::npos) {
        ++p_;
        *out++ = kTo[at];
        return out;
    }
    if (c != 'u') fail("unknown escape in a string");
    ++p_;
    char32_t code = read_hex4();
    if (code >= 0xDC00 && code <= 0xDFFF) fail("a lone low surrogate");
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u') fail("a lone high surrogate");
        p_ += 2;
        const char32_t low = read_hex4();
        if (low < 0xDC00 || low > 0xDFFF) fail("a lone high surrogate");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    std::string bytes;
    utf8_append(bytes, code);
    std::memcpy(out, bytes.data(), bytes.size());
    return out + bytes.size();
}

void Reader::read_number(Value& value) {
    char* const start = p_;
    const auto digits = [&] {
        if (p_ == end_ || !is_digit(*p_))
            fail(p_ == start ? "a value is expected" : "a digit is expected");
        while (p_ < end_ && is_digit(*p_)) ++p_;
    };
    if (*p_ == '-') ++p_;
    if (p_ < end_ && *p_ == '0') {
        ++p_;
        if (p_ < end_ && is_digit(*p_)) fail("a number must not start with 0");
    } else {
        digits();
    }
    if (p_ < end_ && *p_ == '.') {
        ++p_;
        digits();
    }
    if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
        ++p_;
        if (p_ < end_ && (*p_ == '+' || *p_ == '-')) ++p_;
        digits();
    }
    value.kind_ = Kind::kNumber;
    value.data_ = start;
    value.size_ = static_cast<uint32_t>(p_ - start);
    done_.push_back(value);
}

void Reader::read_word(Value& value, std::string_view word, Kind kind) {
    if (std::string_view(p_, static_cast<size_t>(end_ - p_)).substr(0, word.size()) != word) {
        fail("a value is expected");
    }
    p_ += word.size();
    value.kind_ = kind;
    done_.push_back(value);
}

void Reader::open(Value value, Kind kind) {
    if (open_.size() == kMaxDepth) {
        fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    ++p_;
    value.kind_ = kind;
    open_.push_back({done_.size(), value});
}

void Reader::close() {
    Open top = open_.back();
    open_.pop_back();
    const size_t count = done_.size() - top.first;
    if (count > page_left_) {
        constexpr size_t kPage = 4096;
        page_left_ = std::max(count, kPage);
        document_.pages_.push_back(std::make_unique<Value[]>(page_left_));
        page_ = document_.pages_.back().get();
    }
    std::copy(done_.begin() + static_cast<std::ptrdiff_t>(top.first), done_.end(), page_);
    done_.resize(top.first);
    if (top.value.is_object()) check_names({page_, count});
    top.value.children_ = page_;
    top.value.size_ = static_cast<uint32_t>(count);
    page_ += count;
    page_left_ -= count;
    done_.push_back(top.value);
}

void Reader::check_names(std::span<const Value> members) {
    const auto twice = [&](std::string_view name) {
        fail("the name \"" + std::string(name.substr(0, 80)) +
             "\" stands twice in the object that ends");
    };
    if (members.size() < 16) {
        for (size_t i = 0; i < members.size(); ++i) {
            for (size_t j = 0; j < i; ++j) {
                if (members[i].name() == members[j].name()) twice(members[i].name());
            }
        }
        return;
    }
    const uint64_t seed = random_seed();
    size_t slots = 64;
    while (slots < members.size() * 2) slots *= 2;
    std::vector<uint32_t> table(slots, UINT32_MAX);
    for (uint32_t i = 0; i < members.size(); ++i) {
        size_t at = hash_bytes(members[i].name(), seed) & (slots - 1);
        for (; table[at] != UINT32_MAX; at = (at + 1) & (slots - 1)) {
            if (members[table[at]].name() == members[i].name()) twice(members[i].name());
        }
        table[at] = i;
    }
}

Document::Document(std::string_view text) {
    if (text.size() > kMaxBytes) {
        throw std::invalid_argument("the file has " + std::to_string(text.size()) +
                                    " bytes; the limit is " + std::to_string(kMaxBytes));
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const size_t good = utf8_valid_prefix(text); good != text.size()) {
        throw std::invalid_argument("not valid JSON: invalid UTF-8 at byte " +
                                    std::to_string(good));
    }
    text_ = text;
    Reader(*this).read();
}

}  // namespace edgeward::json
