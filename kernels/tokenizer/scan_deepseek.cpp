#include "tokenizer/scan_deepseek.h"

#include "tokenizer/word_kinds.h"

namespace edgeward {
namespace {

bool is_ascii_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

class DeepSeekWords {
    using KindsOf = Kinds<KindOptions{.marks_join = true, .strays = true, .han_apart = true}>;
    using Masks = KindsOf::Masks;
    using At = KindsOf::At;

 public:
    Starts starts(const Window& window) const {
        const ByteBlock block(window.p);
        const Masks m = kinds_.masks(block, window);
        const uint64_t letter = m.of[kLetter];
        const uint64_t other = m.of[kOther];
        const uint64_t digit = m.of[kDigit];
        const uint64_t han = m.of[kApart];
        // From the lowest of these on nothing is certain.
        const uint64_t doubt = (m.of[kStray] | (digit & m.non_ascii)) & ~m.later;

        const uint64_t first_letter = letter & ~(letter << 1);
        const uint64_t first_other = other & ~(other << 1) & ~(m.space << 1);
        // Punctuation takes letters of ASCII behind it, and only those.
        const uint64_t plain = letter & ~m.non_ascii;
        const uint64_t after_sign = first_letter & plain & ((first_other & ~m.non_ascii) << 1);
        const uint64_t behind_plain = (plain + after_sign) & ~plain & letter;
        const uint64_t tail = m.newline & ~(m.newline + (m.newline & (other << 1)));
        const uint64_t blank = m.of[kSpace] & ~tail;
        const uint64_t joined = ((blank & ~m.newline) << 1) | after_sign;
        // What was cut out before ends the text, so all the white space before it is one piece.
        const uint64_t more = m.valid & ~(digit | han);
        uint64_t last_blank = blank & ~m.newline & ~(blank >> 1) & (more >> 1);
        if ((blank & m.non_ascii) != 0) last_blank = first_bytes(last_blank, m.later);

        uint64_t bits = (first_letter & ~joined) | behind_plain | first_other |
                        (blank & ~(blank << 1)) | last_blank | (digit & ~(digit << 1)) |
                        (han & ~(han << 1));
        const uint64_t four = digit & (digit << 1) & (digit << 2) & (digit << 3);
        for (uint64_t next = ((digit & ~(digit << 1)) << 3) & four; next != 0;) {
            bits |= next;
            next = (next << 3) & four;
        }
        if ((blank & m.newline) != 0) bits |= lines(m.newline, blank, window);
        bits = (bits & ~m.later) | 1;
        if (doubt == 0) return {bits, window.last};
        return {(bits & low_bits(lowest_bit(doubt))) | 1, false};
    }

    const char* piece(const char* p, const char* end) const {
        const At at = kinds_.look(p);
        const bool more = at.next < end;
        switch (at.kind) {
            case kDigit:
                return digits(at.next, end);
            case kApart:
                return kinds_.run(at.next, end, kApart);
            case kLetter:
                return kinds_.run(at.next, end, kLetter);
            case kStray:
                return strays(at.next, end);
            case kOther:
                if (at.next == p + 1 && more && is_ascii_letter(*at.next)) {
                    return letters_of_ascii(at.next, end);
                }
                return others(at.next, end);
            default:
                break;
        }
        if (more && !is_newline(*p)) {
            const At behind = kinds_.look(at.next);
            if (behind.kind == kLetter) return kinds_.run(behind.next, end, kLetter);
            if (*p == ' ' && behind.kind == kOther) return others(behind.next, end);
        }
        return spaces(p, end);
    }

 private:
    // In white space the last newline ends a piece: where the rest starts.
    static uint64_t lines(uint64_t newline, uint64_t blank, const Window& window) {
        uint64_t bits = 0;
        for (uint64_t left = blank & newline; left != 0;) {
            const unsigned i = lowest_bit(left);
            const unsigned end = i + lowest_bit(~(blank >> i));
            if (end >= window.size && !window.last) break;  // more may come
            const unsigned line = highest_bit(left & low_bits(end)) + 1;
            if (line < end) bits |= uint64_t{1} << line;
            left &= ~low_bits(end);
        }
        return bits;
    }

    const char* digits(const char* p, const char* end) const {
        for (int n = 1; n < 3 && p < end; ++n) {
            const At at = kinds_.look(p);
            if (at.kind != kDigit) break;
            p = at.next;
        }
        return p;
    }

    // `p` is behind a character that matches nothing by itself. It takes letters behind it; without
    // them it is a gap, which goes on to the next match.
    const char* strays(const char* p, const char* end) const {
        if (p == end) return p;
        At at = kinds_.look(p);
        if (at.kind == kLetter) return kinds_.run(at.next, end, kLetter);
        while (at.kind == kStray) {
            const char* q = at.next;
            if (q == end) return q;
            at = kinds_.look(q);
            if (at.kind == kLetter) return p;
            p = q;
        }
        return p;
    }

    static const char* letters_of_ascii(const char* p, const char* end) {
        while (p < end && is_ascii_letter(*p)) ++p;
        return p;
    }

    const char* others(const char* p, const char* end) const {
        p = kinds_.run(p, end, kOther);
        while (p < end && is_newline(*p)) ++p;
        return p;
    }

    // White space up to its last newline, or all but its last character, or all.
    const char* spaces(const char* p, const char* end) const {
        const char* line = nullptr;  // behind the last newline
        const char* last = p;        // the last character
        const char* q = p;
        bool at_end = true;
        while (q < end) {
            const At at = kinds_.look(q);
            if (at.kind != kSpace) {
                at_end = at.kind == kDigit || at.kind == kApart;
                break;
            }
            if (is_newline(*q)) line = at.next;
            last = q;
            q = at.next;
        }
        if (line != nullptr) return line;
        return at_end || last == p ? q : last;
    }

    KindsOf kinds_;
};

class DeepSeekCutter final : public Cutter {
 public:
    size_t cut(std::string_view text, uint32_t& at, std::span<Span> out) const override {
        return cut_windows(words_, text, at, out);
    }

 private:
    DeepSeekWords words_;
};

}  // namespace

std::unique_ptr<Cutter> make_deepseek_cutter() { return std::make_unique<DeepSeekCutter>(); }

}  // namespace edgeward
