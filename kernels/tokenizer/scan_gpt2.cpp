#include "tokenizer/scan_gpt2.h"

#include <array>

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

enum Class : uint8_t { kLetter, kDigit, kSpace, kOther };

Class class_of(uint16_t bits) {
    if (is_letter(bits)) return kLetter;
    if (is_number(bits)) return kDigit;
    return bits & kSpaceBit ? kSpace : kOther;
}

class Gpt2 {
 public:
    explicit Gpt2(std::string_view text)
        : classes_(CharClasses::get()), begin_(text.data()), end_(begin_ + text.size()) {}

    void run(std::vector<Span>& out) {
        for (const char* p = begin_; p < end_;) {
            const char* next = piece(p);
            out.push_back(
                {static_cast<uint32_t>(p - begin_), static_cast<uint32_t>(next - begin_)});
            p = next;
        }
    }

 private:
    struct At {
        Class cls;
        const char* next;
    };

    At look(const char* p) const {
        static constexpr auto kAscii = [] {
            std::array<Class, 128> table{};
            for (size_t c = 0; c < 128; ++c) {
                const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
                const bool space = c == ' ' || (c >= '\t' && c <= '\r');
                table[c] = letter                 ? kLetter
                           : c >= '0' && c <= '9' ? kDigit
                           : space                ? kSpace
                                                  : kOther;
            }
            return table;
        }();
        const auto byte = static_cast<unsigned char>(*p);
        if (byte < 128) return {kAscii[byte], p + 1};
        const Decoded c = utf8_decode(p);
        return {class_of(classes_.bits(c.code)), p + c.length};
    }

    // End of the piece that starts at `p`.
    const char* piece(const char* p) const {
        if (*p == '\'') {
            if (const char* next = contraction(p + 1)) return next;
        }
        At at = look(p);
        if (*p == ' ' && at.next < end_) {
            const At behind = look(at.next);
            if (behind.cls != kSpace) at = behind;
        }
        if (at.cls == kSpace) return spaces(p);
        const char* q = at.next;
        while (q < end_) {
            const At more = look(q);
            if (more.cls != at.cls) break;
            q = more.next;
        }
        return q;
    }

    // Behind 's 't 'm 'd 're 've 'll, or null.
    const char* contraction(const char* p) const {
        if (p == end_) return nullptr;
        if (*p == 's' || *p == 't' || *p == 'm' || *p == 'd') return p + 1;
        if (end_ - p < 2) return nullptr;
        const bool two =
            (p[1] == 'e' && (p[0] == 'r' || p[0] == 'v')) || (p[0] == 'l' && p[1] == 'l');
        return two ? p + 2 : nullptr;
    }

    // A run of white space; its last character belongs to the word that follows, if one does and
    // the run is longer than that.
    const char* spaces(const char* p) const {
        const char* q = p;
        const char* last = p;
        while (q < end_) {
            const At more = look(q);
            if (more.cls != kSpace) break;
            last = q;
            q = more.next;
        }
        return q == end_ || last == p ? q : last;
    }

    const CharClasses& classes_;
    const char* begin_;
    const char* end_;
};

}  // namespace

void scan_gpt2(std::string_view text, std::vector<Span>& out) { Gpt2(text).run(out); }

}  // namespace edgeward
