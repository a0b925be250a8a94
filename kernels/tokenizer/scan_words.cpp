#include "tokenizer/scan_words.h"

#include "tokenizer/word_kinds.h"

namespace edgeward {
namespace {

// At the apostrophe `p`: the length of (?i:'s|'t|'re|'ve|'m|'ll|'d), or 0. The long s, U+017F, is
// an s to (?i:..). `left` >= 1.
unsigned contraction(const char* p, size_t left) {
    if (left < 2) return 0;
    const int c = p[1] | 0x20;
    if (c == 's' || c == 't' || c == 'm' || c == 'd') return 2;
    if (left < 3) return 0;
    if (p[1] == '\xC5' && p[2] == '\xBF') return 3;
    const int d = p[2] | 0x20;
    return (d == 'e' && (c == 'r' || c == 'v')) || (c == 'l' && d == 'l') ? 3 : 0;
}

template <bool kCased, bool kMarksJoin>
class Words {
    using KindsOf = Kinds<KindOptions{.cased = kCased, .marks_join = kMarksJoin}>;
    using Masks = typename KindsOf::Masks;
    using At = typename KindsOf::At;

 public:
    explicit Words(const WordRules& rules) : rules_(rules) {}

    Starts starts(const Window& window) const {
        const ByteBlock block(window.p);
        const Masks m = kinds_.masks(block, window);
        const uint64_t letter = m.letters();
        const uint64_t other = m.of[kOther];
        const uint64_t digit = m.of[kDigit];
        // From the lowest of these on nothing is certain.
        uint64_t doubt = 0;

        const uint64_t first_letter = letter & ~(letter << 1);
        // The first of a run of others, unless a space before it takes the run.
        const uint64_t first_other = other & ~(other << 1) & ~(m.space << 1);
        uint64_t prefix = first_other;
        if (m.non_ascii != 0) prefix = whole_characters(first_other & ~m.later, m.later);
        // Newlines right behind others are theirs.
        const uint64_t tail = m.newline & ~(m.newline + (m.newline & (other << 1)));
        const uint64_t blank = m.of[kSpace] & ~tail;
        // A word takes one character before it that is no newline.
        const uint64_t joined = ((blank & ~m.newline) | prefix) << 1;
        // The last of some spaces goes with what follows, or stands alone.
        uint64_t last_blank = blank & ~m.newline & ~(blank >> 1) & (m.valid >> 1);
        if ((blank & m.non_ascii) != 0) last_blank = first_bytes(last_blank, m.later);

        uint64_t bits = (first_letter & ~joined) | first_other | (blank & ~(blank << 1)) |
                        last_blank | (digit & ~(digit << 1));
        if (digit != 0) add_digits(m, bits, doubt);
        if constexpr (kCased) {
            bits |= m.of[kUpper] & (m.of[kLower] << 1);
            // Whether these go on with the word depends on what comes.
            doubt |= m.of[kUpper] & ((m.of[kLetter] | m.of[kMark]) << 1) & ~m.later;
            doubt |= m.of[kMark] & (other << 1) & ~(prefix << 1);
        }
        if (rules_.slash_tail && tail != 0) doubt |= block.equal('/') & (tail << 1);
        if ((blank & m.newline) != 0) add_lines(m, blank, window, bits);
        bits = (bits & ~m.later) | 1;
        if (rules_.contractions != WordRules::kNone) {
            const uint64_t quotes = block.equal('\'') & m.valid;
            if (quotes != 0) add_contractions(quotes, letter, window, bits, doubt);
        }
        if (doubt == 0) return {bits, window.last};
        return {(bits & low_bits(lowest_bit(doubt))) | 1, false};
    }

    const char* piece(const char* p, const char* end) const {
        if (rules_.contractions == WordRules::kAlone && *p == '\'') {
            if (const unsigned length = contraction(p, static_cast<size_t>(end - p))) {
                return p + length;
            }
        }
        const At at = kinds_.look(p);
        if (const char* word = kCased ? cased_word(p, at, end) : plain_word(at, *p, end)) {
            return word;
        }
        if (at.kind == kDigit) {
            const char* q = at.next;
            for (unsigned n = 1; n < rules_.digits && q < end; ++n) {
                const At more = kinds_.look(q);
                if (more.kind != kDigit) break;
                q = more.next;
            }
            return q;
        }
        if (is_other(at.kind)) return others(at.next, end);
        if (*p == ' ' && at.next < end) {
            const At behind = kinds_.look(at.next);
            if (is_other(behind.kind)) return others(behind.next, end);
        }
        return spaces(p, end);
    }

 private:
    // [^\s\p{L}\p{N}]
    static bool is_other(Kind kind) { return kind == kOther || kind == kMark; }
    static bool is_letter_kind(Kind kind) { return kind <= kLower || kind == kMark; }
    // [^\r\n\p{L}\p{N}]
    static bool may_prefix(Kind kind, char c) {
        return is_other(kind) || (kind == kSpace && !is_newline(c));
    }

    void add_digits(const Masks& m, uint64_t& bits, uint64_t& doubt) const {
        const uint64_t digit = m.of[kDigit];
        if (rules_.digits == 1) {
            bits |= digit;
            return;
        }
        if ((digit & m.non_ascii) != 0) {
            doubt |= digit & m.non_ascii & ~m.later;
        }
        const uint64_t four = digit & (digit << 1) & (digit << 2) & (digit << 3);
        for (uint64_t next = ((digit & ~(digit << 1)) << 3) & four; next != 0;) {
            bits |= next;
            next = (next << 3) & four;
        }
    }

    // In white space the last newline ends a piece.
    void add_lines(const Masks& m, uint64_t blank, const Window& window, uint64_t& bits) const {
        for (uint64_t left = blank & m.newline; left != 0;) {
            const unsigned i = lowest_bit(left);
            const unsigned end = i + lowest_bit(~(blank >> i));
            if (end >= window.size && !window.last) break;  // more may come
            const unsigned line = highest_bit(left & low_bits(end)) + 1;
            if (line < end) bits |= uint64_t{1} << line;
            left &= ~low_bits(end);
        }
    }

    void add_contractions(uint64_t quotes, uint64_t letter, const Window& window, uint64_t& bits,
                          uint64_t& doubt) const {
        const bool behind = rules_.contractions == WordRules::kBehind;
        quotes &= behind ? letter << 1 : bits;
        unsigned done = 0;  // end of the last one
        for (; quotes != 0; quotes &= quotes - 1) {
            const unsigned i = lowest_bit(quotes);
            if (behind && i == done) continue;  // its word ended with a contraction
            if (i + 3 > window.size && !window.last) {
                // Undecided. As the first byte of a window it cannot be: a window has 61 or more.
                doubt |= uint64_t{1} << (behind ? i : i + 1);
                break;
            }
            const unsigned length = contraction(window.p + i, window.size - i);
            if (length == 0) continue;
            done = i + length;
            bits &= ~(low_bits(length) << i);
            if (!behind) bits |= uint64_t{1} << i;
            if (done < window.size) bits |= uint64_t{1} << done;
        }
    }

    // [^\r\n\p{L}\p{N}]?\p{L}+ or null.
    const char* plain_word(At at, char c, const char* end) const {
        if (at.kind == kLetter) return kinds_.run(at.next, end, kLetter);
        if (at.next == end || !may_prefix(at.kind, c)) return nullptr;
        const char* q = kinds_.run(at.next, end, kLetter);
        return q == at.next ? nullptr : q;
    }

    // The two kinds of words of o200k, each with its prefix if that is to be had, or null.
    const char* cased_word(const char* p, At at, const char* end) const {
        const bool prefix = may_prefix(at.kind, *p) && at.next < end;
        const bool plain = is_letter_kind(at.kind);
        const char* q = nullptr;
        if (prefix) q = lower_word(at.next, end);
        if (q == nullptr && plain) q = lower_word(p, end);
        if (q == nullptr && prefix) q = upper_word(at.next, end);
        if (q == nullptr && plain) q = upper_word(p, end);
        if (q == nullptr || q == end || *q != '\'') return q;
        if (rules_.contractions != WordRules::kBehind) return q;
        return q + contraction(q, static_cast<size_t>(end - q));
    }

    // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]* from `p`; `both` is behind the last that is no capital.
    const char* capitals(const char* p, const char* end, const char*& both) const {
        both = nullptr;
        while (p < end) {
            const At at = kinds_.look(p);
            if (at.kind != kUpper && at.kind != kLetter && at.kind != kMark) break;
            p = at.next;
            if (at.kind != kUpper) both = p;
        }
        return p;
    }

    // [\p{Ll}\p{Lm}\p{Lo}\p{M}]*
    const char* small(const char* p, const char* end) const {
        while (p < end) {
            const At at = kinds_.look(p);
            if (at.kind != kLower && at.kind != kLetter && at.kind != kMark) break;
            p = at.next;
        }
        return p;
    }

    // Capitals, then at least one small letter; a letter that is both may be given back for it.
    const char* lower_word(const char* p, const char* end) const {
        const char* both = nullptr;
        const char* q = capitals(p, end, both);
        const char* r = small(q, end);
        return r == q ? both : r;
    }

    // At least one capital, then small letters; only asked when lower_word finds nothing.
    const char* upper_word(const char* p, const char* end) const {
        const char* both = nullptr;
        const char* q = capitals(p, end, both);
        return q == p ? nullptr : small(q, end);
    }

    const char* others(const char* p, const char* end) const {
        while (p < end) {
            const At at = kinds_.look(p);
            if (!is_other(at.kind)) break;
            p = at.next;
        }
        while (p < end && (is_newline(*p) || (rules_.slash_tail && *p == '/'))) ++p;
        return p;
    }

    // White space up to its last newline, or all but its last character, or all.
    const char* spaces(const char* p, const char* end) const {
        const char* line = nullptr;  // behind the last newline
        const char* last = p;        // the last character
        const char* q = p;
        while (q < end) {
            const At at = kinds_.look(q);
            if (at.kind != kSpace) break;
            if (is_newline(*q)) line = at.next;
            last = q;
            q = at.next;
        }
        if (line != nullptr) return line;
        return q == end || last == p ? q : last;
    }

    KindsOf kinds_;
    WordRules rules_;
};

template <bool kCased, bool kMarksJoin>
class WordCutter final : public Cutter {
 public:
    explicit WordCutter(const WordRules& rules) : words_(rules) {}

    size_t cut(std::string_view text, uint32_t& at, std::span<Span> out) const override {
        return cut_windows(words_, text, at, out);
    }

 private:
    Words<kCased, kMarksJoin> words_;
};

}  // namespace

std::unique_ptr<Cutter> make_word_cutter(const WordRules& rules) {
    if (rules.cased) return std::make_unique<WordCutter<true, false>>(rules);
    if (rules.marks_join) return std::make_unique<WordCutter<false, true>>(rules);
    return std::make_unique<WordCutter<false, false>>(rules);
}

}  // namespace edgeward
