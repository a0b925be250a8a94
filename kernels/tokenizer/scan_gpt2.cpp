#include "tokenizer/scan_gpt2.h"

#include "tokenizer/word_kinds.h"

namespace edgeward {
namespace {

// Behind the apostrophe at `p`: the length of 's 't 'm 'd 're 've 'll, or 0. `left` >= 1.
unsigned contraction(const char* p, size_t left) {
    if (left < 2) return 0;
    const char c = p[1];
    if (c == 's' || c == 't' || c == 'm' || c == 'd') return 2;
    if (left < 3) return 0;
    return (p[2] == 'e' && (c == 'r' || c == 'v')) || (c == 'l' && p[2] == 'l') ? 3 : 0;
}

template <bool kDigitsApart>
class Gpt2Words {
 public:
    Starts starts(const Window& window) const {
        const ByteBlock block(window.p);
        const auto m = kinds_.masks(block, window);
        const uint64_t letter = m.of[kLetter];
        const uint64_t digit = m.of[kDigit];
        const uint64_t other = m.of[kOther];
        const uint64_t blank = m.of[kSpace];
        const uint64_t apart = m.of[kApart];
        const uint64_t same =
            (letter & (letter << 1)) | (digit & (digit << 1)) | (other & (other << 1));
        // The last of some spaces goes with what follows, or stands alone.
        uint64_t last_blank = blank & ~(blank >> 1) & ~(apart >> 1) & (m.valid >> 1);
        if ((blank & m.non_ascii) != 0) last_blank = first_bytes(last_blank, m.later);
        uint64_t bits = (blank & ~(blank << 1)) | last_blank | apart |
                        (m.valid & ~blank & ~same & ~(m.space << 1));
        bits = (bits & ~m.later) | 1;
        bool complete = window.last;
        uint64_t quotes = bits & block.equal('\'') & m.valid;
        for (; quotes != 0; quotes &= quotes - 1) {
            const unsigned i = lowest_bit(quotes);
            if (i + 3 > window.size && !window.last) {
                bits &= low_bits(i + 1);
                break;
            }
            if (const unsigned length = contraction(window.p + i, window.size - i)) {
                bits &= ~(low_bits(length - 1) << (i + 1));
                if (i + length < window.size) bits |= uint64_t{1} << (i + length);
            }
        }
        return {bits, complete};
    }

    const char* piece(const char* p, const char* end) const {
        if (*p == '\'') {
            if (const unsigned length = contraction(p, static_cast<size_t>(end - p))) {
                return p + length;
            }
        }
        auto at = kinds_.look(p);
        if (at.kind == kApart) return at.next;
        if (*p == ' ' && at.next < end) {
            const auto behind = kinds_.look(at.next);
            if (behind.kind != kSpace && behind.kind != kApart) at = behind;
        }
        return at.kind == kSpace ? spaces(p, end) : kinds_.run(at.next, end, at.kind);
    }

 private:
    // A run of white space; its last character belongs to what follows, if something does and the
    // run is longer than that.
    const char* spaces(const char* p, const char* end) const {
        const char* last = p;
        const char* q = p;
        while (q < end) {
            const auto at = kinds_.look(q);
            if (at.kind == kApart) return q;
            if (at.kind != kSpace) return last == p ? q : last;
            last = q;
            q = at.next;
        }
        return q;
    }

    Kinds<KindOptions{.numbers_apart = kDigitsApart}> kinds_;
};

template <bool kDigitsApart>
class Gpt2Cutter final : public Cutter {
 public:
    size_t cut(std::string_view text, uint32_t& at, std::span<Span> out) const override {
        return cut_windows(words_, text, at, out);
    }

 private:
    Gpt2Words<kDigitsApart> words_;
};

}  // namespace

std::unique_ptr<Cutter> make_gpt2_cutter(bool digits_apart) {
    if (digits_apart) return std::make_unique<Gpt2Cutter<true>>();
    return std::make_unique<Gpt2Cutter<false>>();
}

}  // namespace edgeward
