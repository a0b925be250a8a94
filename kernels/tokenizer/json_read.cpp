// How a text becomes the tape of a Document. Knows: the grammar.
#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tokenizer/json.h"
#include "tokenizer/json_names.h"
#include "tokenizer/json_scan.h"
#include "tokenizer/utf8.h"

namespace edgeward::json {

// Fills a Document. Reads every byte once; the containers that are open wait on a small stack.
class Reader {
 public:
    explicit Reader(Document& document);

    void read();

 private:
    struct Open {
        size_t at;  // its word on the tape
        size_t count;
    };

    [[noreturn]] void fail(const std::string& what) const;
    inline char peek(const char* wanted);
    void skip_space() {
        if (p_ < end_ && static_cast<unsigned char>(*p_) > ' ') return;
        skip_more_space();
    }
    inline void skip_more_space();
    inline void open(Kind kind);
    void close();
    bool in_object() const {
        return depth_ > 0 && kind_of(tape_[open_[depth_ - 1].at]) == Kind::kObject;
    }
    inline void read_name();
    inline void read_string();
    uint32_t skip_plain();
    void read_long_string(const char* start);
    void read_escaped_string(const char* start);
    void read_escape();
    uint32_t read_hex4();
    void check_utf8(const char* first, const char* last);
    inline void read_number();
    void read_word(std::string_view word, Kind kind);
    size_t place(const char* p) const { return static_cast<size_t>(p - begin_); }

    Document& document_;
    Tape& tape_;
    const char* begin_;
    const char* p_;
    const char* end_;
    size_t depth_ = 0;
    Open open_[kMaxDepth];
};

namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Bits below the lowest that is set.
uint32_t before_first(uint32_t mask) { return (mask & (0 - mask)) - 1; }

}  // namespace

Reader::Reader(Document& document)
    : document_(document),
      tape_(document.tape_),
      begin_(document.text_.data()),
      p_(begin_),
      end_(begin_ + document.text_.size()) {
    tape_.reserve(document.text_.size() / 16 + 16);
}

void Reader::fail(const std::string& what) const {
    throw std::invalid_argument("not valid JSON: " + what + " at byte " +
                                std::to_string(place(p_)) + " of " + std::to_string(place(end_)));
}

char Reader::peek(const char* wanted) {
    skip_space();
    if (p_ == end_) [[unlikely]]
        fail(std::string("the text ends where ") + wanted + " is expected");
    return *p_;
}

// Indentation: a line end and any number of blanks.
void Reader::skip_more_space() {
    while (static_cast<size_t>(end_ - p_) >= kBlock) {
        const Block block(p_);
        const auto count =
            static_cast<size_t>(std::countr_one(block.equal(' ') | block.equal('\n')));
        p_ += count;
        if (count == kBlock) continue;
        if (!is_space(*p_)) return;
        ++p_;
    }
    while (p_ < end_ && is_space(*p_)) ++p_;
}

void Reader::read_name() {
    if (peek("a name") != '"') fail("a name in quotes is expected");
    read_string();
    if (peek("':'") != ':') fail("':' is expected");
    ++p_;
}

// Most strings are shorter than a block and have no escape: they stay where they are.
void Reader::read_string() {
    const char* const start = ++p_;
    if (static_cast<size_t>(end_ - start) >= kBlock) {
        const Block block(start);
        const uint32_t quote = block.equal('"');
        const uint32_t inside = before_first(quote);
        const uint32_t odd = block.low_or_high() & inside;
        if (quote != 0 && (block.equal('\\') & inside) == 0 &&
            (odd == 0 || (odd == (block.high() & inside) && surely_valid(block, inside)))) {
            const auto size = static_cast<size_t>(std::countr_zero(quote));
            tape_.push(make_word(Kind::kString, place(start), size));
            p_ = start + size + 1;
            return;
        }
    }
    read_long_string(start);
}

void Reader::read_long_string(const char* start) {
    p_ = start;
    uint32_t high = skip_plain();
    if (p_ == end_) fail("the text ends inside a string");
    if (*p_ == '\\') return read_escaped_string(start);
    if (high != 0) check_utf8(start, p_);
    tape_.push(make_word(Kind::kString, place(start), static_cast<size_t>(p_ - start)));
    ++p_;
}

// To the next quote, backslash or end; returns a mask that is not 0 if high bytes were met.
uint32_t Reader::skip_plain() {
    uint32_t high = 0;
    while (static_cast<size_t>(end_ - p_) >= kBlock) {
        const Block block(p_);
        const uint32_t high_here = block.high();
        const uint32_t stop =
            block.equal('"') | block.equal('\\') | (block.low_or_high() & ~high_here);
        if (stop != 0) {
            high |= high_here & before_first(stop);
            p_ += std::countr_zero(stop);
            if (static_cast<unsigned char>(*p_) < ' ') fail("a raw control character in a string");
            return high;
        }
        high |= high_here;
        p_ += kBlock;
    }
    for (; p_ < end_ && *p_ != '"' && *p_ != '\\'; ++p_) {
        if (static_cast<unsigned char>(*p_) < ' ') fail("a raw control character in a string");
        high |= static_cast<unsigned char>(*p_) & 0x80u;
    }
    return high;
}

// An escape never stands between the bytes of one character, so that each run between two escapes
// is valid by itself or not at all.
void Reader::read_escaped_string(const char* start) {
    std::string& out = document_.unescaped_;
    const size_t first = out.size();
    check_utf8(start, p_);
    out.append(start, p_);
    while (p_ < end_ && *p_ != '"') {
        if (*p_ == '\\') {
            read_escape();
            continue;
        }
        const char* const run = p_;
        if (skip_plain() != 0) check_utf8(run, p_);
        out.append(run, p_);
    }
    if (p_ == end_) fail("the text ends inside a string");
    tape_.push(make_word(Kind::kString, first, out.size() - first) | kUnescaped);
    ++p_;
}

void Reader::check_utf8(const char* first, const char* last) {
    const size_t good = utf8_valid_prefix({first, static_cast<size_t>(last - first)});
    if (first + good == last) return;
    p_ = first + good;
    fail("invalid UTF-8");
}

void Reader::read_escape() {
    ++p_;
    if (p_ == end_) fail("the text ends inside an escape");
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const size_t at = kFrom.find(*p_); at != std::string_view::npos) {
        ++p_;
        document_.unescaped_.push_back(kTo[at]);
        return;
    }
    if (*p_ != 'u') fail("unknown escape in a string");
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
    utf8_append(document_.unescaped_, code);
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

void Reader::read_number() {
    const char* const start = p_;
    // Nearly all numbers are ids: a few digits, then a comma or a space.
    if (static_cast<size_t>(end_ - start) >= kBlock && *start != '0') {
        const auto count = std::countr_one(Block(start).within('0', '9'));
        const char next = start[count & (kBlock - 1)];
        if (count > 0 && count < int{kBlock} && (next == ',' || is_space(next))) {
            tape_.push(make_word(Kind::kNumber, place(start), static_cast<size_t>(count)));
            p_ = start + count;
            return;
        }
    }
    const auto digits = [&] {
        if (p_ == end_ || !is_digit(*p_)) {
            fail(p_ == start ? "a value is expected" : "a digit is expected");
        }
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
    tape_.push(make_word(Kind::kNumber, place(start), static_cast<size_t>(p_ - start)));
}

void Reader::read_word(std::string_view word, Kind kind) {
    if (std::string_view(p_, static_cast<size_t>(end_ - p_)).substr(0, word.size()) != word) {
        fail("a value is expected");
    }
    p_ += word.size();
    tape_.push(make_word(kind, 0, 0));
}

void Reader::open(Kind kind) {
    if (depth_ == kMaxDepth) {
        fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    ++p_;
    open_[depth_++] = {tape_.size(), 0};
    tape_.push(make_word(kind, 0, 0));
}

void Reader::close() {
    const Open top = open_[--depth_];
    const Kind kind = kind_of(tape_[top.at]);
    tape_[top.at] = make_word(kind, tape_.size() - top.at, top.count);
    if (kind != Kind::kObject || top.count < 2 || top.count > kMaxCheckedMembers) return;
    const Item object(&document_, tape_.data() + top.at, false);
    if (const auto name = repeated_name(object.members("an object"))) {
        fail("the name \"" + std::string(name->substr(0, 80)) +
             "\" stands twice in the object that ends");
    }
}

void Reader::read() {
    // One iteration reads one value, then as many closing brackets and one comma as follow it.
    bool object = false;
    for (;;) {
        if (object) read_name();
        switch (peek("a value")) {
            case '"':
                read_string();
                break;
            case '{':
                open(Kind::kObject);
                object = true;
                if (peek("a name or '}'") == '}') break;
                open_[depth_ - 1].count = 1;
                continue;
            case '[':
                open(Kind::kArray);
                object = false;
                if (peek("a value or ']'") == ']') break;
                open_[depth_ - 1].count = 1;
                continue;
            case 't':
                read_word("true", Kind::kTrue);
                break;
            case 'f':
                read_word("false", Kind::kFalse);
                break;
            case 'n':
                read_word("null", Kind::kNull);
                break;
            default:
                read_number();
        }
        for (;;) {
            if (depth_ == 0) {
                skip_space();
                if (p_ != end_) fail("there is more text after the value");
                return;
            }
            const char c = peek(object ? "',' or '}'" : "',' or ']'");
            if (c == ',') {
                ++p_;
                ++open_[depth_ - 1].count;
                break;
            }
            if (c != (object ? '}' : ']')) {
                fail(object ? "',' or '}' is expected" : "',' or ']' is expected");
            }
            ++p_;
            close();
            object = in_object();
        }
    }
}

void Document::read() { Reader(*this).read(); }

}  // namespace edgeward::json
