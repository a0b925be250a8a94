#include "tokenizer/scan_bert.h"

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

class BertCutter final : public Cutter {
 public:
    size_t cut(std::string_view text, uint32_t& at, std::span<Span> out) const override {
        const auto size = static_cast<uint32_t>(text.size());
        constexpr uint32_t kNoWord = UINT32_MAX;
        uint32_t word = kNoWord;  // where the word or mark before `begin` starts
        size_t count = 0;
        uint32_t begin = at;
        char tail[64];
        while (begin < size && count + 64 <= out.size()) {
            const char* p = text.data() + begin;
            unsigned n = 64;
            if (size - begin < 64) {
                n = size - begin;
                std::memset(tail, 0, sizeof tail);
                std::memcpy(tail, p, n);
                p = tail;
            } else if (size - begin > 64) {
                while (is_continuation(p[n])) --n;
            }
            const Masks m = masks(p, n);
            uint64_t borders = m.mark | m.blank | (m.word & ~(m.word << 1));
            if (word_goes_on(text, word, begin) && (m.word & 1)) borders &= ~uint64_t{1};
            for (; borders != 0; borders &= borders - 1) {
                const unsigned i = lowest_bit(borders);
                out[count] = {word, begin + i};
                count += word != kNoWord;
                word = (m.blank >> i) & 1 ? kNoWord : begin + i;
            }
            begin += n;
        }
        if (begin == size) {
            if (word != kNoWord && count < out.size()) {
                out[count++] = {word, size};
                word = kNoWord;
            }
        }
        at = word == kNoWord ? begin : word;
        return count;
    }

 private:
    // First bytes of marks and of white space, all bytes of other text.
    struct Masks {
        uint64_t mark;
        uint64_t blank;
        uint64_t word;
    };

    // What ends before `begin` is a word, not a mark, and has not ended.
    bool word_goes_on(std::string_view text, uint32_t word, uint32_t begin) const {
        if (word == UINT32_MAX || word == begin) return false;
        return !(classes_.bits(utf8_decode(text.data() + word).code) & kPunctuationBit);
    }

    Masks masks(const char* p, unsigned n) const {
        const ByteBlock block(p);
        const uint64_t valid = low_bits(n);
        const uint64_t non_ascii = block.non_ascii() & valid;
        Masks m;
        m.blank = (block.equal(' ') | block.between('\t', '\r')) & valid;
        m.mark = (block.between('!', '/') | block.between(':', '@') | block.between('[', '`') |
                  block.between('{', '~')) &
                 valid;
        m.word = valid & ~(m.blank | m.mark);
        if (non_ascii == 0) return m;
        const uint64_t later = block.between(0x80, 0xBF);
        for (uint64_t left = non_ascii & ~later; left != 0; left &= left - 1) {
            const unsigned i = lowest_bit(left);
            const Decoded c = utf8_decode(p + i);
            const uint16_t bits = classes_.bits(c.code);
            if ((bits & (kSpaceBit | kPunctuationBit)) == 0) continue;
            (bits & kSpaceBit ? m.blank : m.mark) |= uint64_t{1} << i;
            m.word &= ~(low_bits(c.length) << i);
        }
        return m;
    }

    const CharClasses& classes_ = CharClasses::get();
};

}  // namespace

std::unique_ptr<Cutter> make_bert_cutter() { return std::make_unique<BertCutter>(); }

}  // namespace edgeward
