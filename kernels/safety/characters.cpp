#include "safety/characters.h"

#include <algorithm>
#include <string>

#include "tokenizer/normalization.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward::safety {
namespace {

#include "safety/confusables.inc"

using Tables = NormalizationTables;

bool in(char32_t c, char32_t first, char32_t last) { return c - first <= last - first; }

// Marks that only decorate. In the writing systems that need marks they have blocks of their own.
bool decorates(char32_t c) {
    return in(c, 0x300, 0x36F) || in(c, 0x1AB0, 0x1AFF) || in(c, 0x1DC0, 0x1DFF) ||
           in(c, 0x20D0, 0x20FF) || in(c, 0xFE20, 0xFE2F);
}

// Variation selectors, fillers and joiners that no category tells.
bool shows_nothing(char32_t c) {
    return in(c, 0xFE00, 0xFE0F) || in(c, 0xE0000, 0xE0FFF) || c == 0x34F || c == 0x115F ||
           c == 0x1160 || c == 0x3164 || c == 0xFFA0 || in(c, 0x180B, 0x180F) ||
           in(c, 0x17B4, 0x17B5);
}

bool breaks_line(char32_t c) { return in(c, 0x0A, 0x0D) || c == 0x85 || in(c, 0x2028, 0x2029); }

// A folded character after NFKC; appends none, one or two.
template <class Out>
void append_folded(char32_t c, Out&& out) {
    const Tables& tables = Tables::get();
    if (tables.bits(c) & Tables::kLowerBit) {
        for (const uint32_t lower : tables.lower(c)) {
            if (!decorates(lower)) c = lower;
        }
    }
    if (decorates(c)) return;
    if (c < 0x80) return out(c);
    // An accented Latin letter is read without its accents, whatever their number.
    if ((tables.bits(c) & Tables::kCanonicalBit) && !in(c, 0xAC00, 0xD7A3)) {
        const char32_t base = tables.canonical(c)[0];
        if (is_ascii_letter(base)) return out(base);
    }
    switch (c) {
        case 0xDF:  // sharp s
            out(U's');
            return out(U's');
        case 0xE6:  // ae
            out(U'a');
            return out(U'e');
        case 0x153:  // oe
            out(U'o');
            return out(U'e');
        case 0x3C2:  // final sigma
            return out(0x3C3);
        default:
            break;
    }
    const Confusable found = confusable(c);
    out(found.kind == LookAlike::kLatin ? static_cast<char32_t>(found.letter) : c);
}

}  // namespace

Confusable confusable(char32_t code) {
    const auto* end = std::end(kConfusables);
    const auto* found =
        std::lower_bound(std::begin(kConfusables), end, code,
                         [](const Confusable& entry, char32_t c) { return entry.code < c; });
    if (found == end || found->code != code) return {code, 0, LookAlike::kNone};
    return *found;
}

bool is_word_letter(char32_t code) {
    if (code < 0x80) return is_ascii_letter(code);
    const uint16_t bits = CharClasses::get().bits(code);
    return is_letter(bits) || is_mark(bits);
}

Folder::Step Folder::look(char32_t c) {
    if (c < 0x80) return in(c, 0x20, 0x7E) || in(c, 0x09, 0x0D) ? Step::kPlain : Step::kDrop;
    const uint16_t bits = CharClasses::get().bits(c);
    const uint16_t category = bits & kCategoryMask;
    if ((category == kCc && c != 0x85) || category == kCf || shows_nothing(c)) return Step::kDrop;
    if (bits & kSpaceBit) return Step::kPlain;
    const uint16_t active = Tables::get().bits(c);
    if (active & (Tables::kClassMask | Tables::kComposesBit)) return Step::kJoin;
    return Step::kHold;
}

char32_t Folder::plain(char32_t c) {
    if (c - U'A' < 26) return c + 32;
    if (c < 0x80) return breaks_line(c) ? U'\n' : c == U'\t' ? U' ' : c;
    return breaks_line(c) ? U'\n' : U' ';
}

size_t Folder::fold(std::array<char32_t, kFoldedLimit>& out) const {
    size_t n = 0;
    const auto add = [&](char32_t c) { out[n++] = c; };
    const uint16_t bits = Tables::get().bits(cluster_[0]);
    const uint16_t changes = Tables::kCanonicalBit | Tables::kCompatibleBit;
    const bool hangul = in(cluster_[0], 0xAC00, 0xD7A3);
    if (size_ == 1 && (!(bits & changes) || hangul)) {
        append_folded(cluster_[0], add);
        return n;
    }
    std::string bytes;
    for (size_t i = 0; i < size_; ++i) utf8_append(bytes, cluster_[i]);
    const Span whole{0, static_cast<uint32_t>(bytes.size())};
    const Pieces text{TracedText(bytes), whole, false};
    Rewritten normal;
    normal.traced = false;
    normalize(Form::kNfkc, text, whole, normal);
    for (size_t i = 0; i < normal.bytes.size();) {
        const Decoded c = utf8_decode(normal.bytes.data() + i);
        append_folded(c.code, add);
        i += c.length;
    }
    return n;
}

}  // namespace edgeward::safety
