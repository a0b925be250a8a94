#include "tokenizer/placement.h"

#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

// White space, or the byte-level character of the space.
bool is_blank(char32_t c) { return c == 0x120 || CharClasses::get().space(c); }

uint32_t leading_blanks(std::string_view text) {
    uint32_t count = 0;
    for (size_t i = 0; i < text.size(); ++count) {
        const Decoded c = utf8_decode(text.data() + i);
        if (!is_blank(c.code)) break;
        i += c.length;
    }
    return count;
}

uint32_t trailing_blanks(std::string_view text) {
    uint32_t count = 0;
    for (const char* p = text.data() + text.size(); p > text.data(); ++count) {
        p = utf8_before(p);
        if (!is_blank(utf8_decode(p).code)) break;
    }
    return count;
}

}  // namespace

CharacterCounter::CharacterCounter(std::string_view text) : text_(text) {
    if (utf8_ascii_prefix(text) == text.size()) return;
    marks_.reserve(text.size() / kStep + 1);
    uint32_t count = 0;
    for (size_t at = 0; at <= text.size(); at += kStep) {
        marks_.push_back(count);
        count += static_cast<uint32_t>(utf8_count(text.substr(at, kStep)));
    }
}

uint32_t CharacterCounter::count_to(uint32_t at) {
    if (at < at_ || at - at_ > kStep) {
        at_ = at / kStep * kStep;
        count_ = marks_[at / kStep];
    }
    count_ += static_cast<uint32_t>(utf8_count(text_.substr(at_, at - at_)));
    at_ = at;
    ascii_end_ = at + static_cast<uint32_t>(utf8_ascii_prefix(text_.substr(at, kStep)));
    return count_;
}

Span CharacterCounter::characters(Span span) {
    if (marks_.empty() || span.begin >= text_.size()) return span;
    const uint32_t begin = number(span.begin);
    if (span.end < text_.size()) return {begin, number(span.end)};
    return {begin, span.end == 0 ? begin + 1 : number(span.end - 1) + 1};
}

Blanks PlacedSink::blanks(std::string_view string) const {
    return with_spaces_ ? Blanks{leading_blanks(string), trailing_blanks(string)} : Blanks{};
}

void PlacedSink::added(const TracedText& text, Span span, uint32_t id) {
    if (span.empty()) return;
    const Span bytes{text.origin(span.begin).begin, text.origin(span.end - 1).end};
    const Span characters = counter_.characters(bytes);
    if (!with_spaces_ || !push_blank(id, characters, text.bytes(span))) {
        push(id, characters, blanks(text.bytes(span)));
    }
    ++word_;
}

bool PlacedSink::push_blank(uint32_t id, Span characters, std::string_view string) {
    const char* const end = string.data() + string.size();
    if (blank_.data() <= string.data() && blank_.data() + blank_.size() == end) {
        const auto skipped = static_cast<size_t>(string.data() - blank_.data());
        blank_count_ -= static_cast<uint32_t>(utf8_count(blank_.substr(0, skipped)));
    } else {
        blank_count_ = leading_blanks(string);
        if (blank_count_ != utf8_count(string)) {
            blank_ = {};
            return false;
        }
    }
    blank_ = string;
    push(id, characters, {blank_count_, blank_count_});
    return true;
}

void PlacedSink::pieces(const TracedText& text, uint32_t base, std::span<const Span> left,
                        const Model& model, bool raw_bytes) {
    const auto whole = [&](Span piece) { return Span{base + piece.begin, base + piece.end}; };
    while (!left.empty()) {
        found_.clear();
        const size_t done =
            model.tokenize_pieces(text.bytes().substr(base), left, raw_bytes, found_);
        size_t first = 0;
        for (size_t i = 0; i < done; ++i) {
            const size_t last = found_.ends[i];
            if (text.unchanged()) {
                place_unchanged(text, whole(left[i]), first, last, raw_bytes);
            } else {
                place(text, whole(left[i]), found_, first, last);
            }
            first = last;
        }
        left = left.subspan(done);
        if (left.empty()) break;
        place_spelled(text, whole(left.front()), model);
        left = left.subspan(1);
    }
}

void PlacedSink::place_unchanged(const TracedText& text, Span piece, size_t first, size_t last,
                                 bool raw_bytes) {
    // Only a spelling of bytes is longer than its piece, and raw bytes are not spelled.
    if (!raw_bytes) return place(text, piece, found_, first, last);
    const std::string_view bytes = text.bytes();
    uint32_t at = piece.begin;
    for (size_t i = first; i < last; ++i) {
        const uint32_t next = at + found_.lengths[i];
        const uint32_t begin = counter_.starts_before(at) - (is_continuation(bytes[at]) ? 1 : 0);
        const Span characters{begin, counter_.starts_before(next)};
        Blanks around;
        if (with_spaces_) {
            // A byte-level string has no other white space than the character of the space.
            uint32_t from = at;
            while (from < next && bytes[from] == ' ') ++from;
            uint32_t to = next;
            while (to > at && bytes[to - 1] == ' ') --to;
            around = {from - at, next - to};
        }
        push(found_.ids[i], characters, around);
        at = next;
    }
    ++word_;
}

void PlacedSink::place(const TracedText& text, Span piece, const TokenBuffer& found, size_t first,
                       size_t last) {
    // The number of the piece's first character, if it is a copy of as many ASCII characters.
    const uint32_t start = last - first < 2 ? kNoId : ascii_start(text, piece);
    uint32_t at = piece.begin;
    for (size_t i = first; i < last; ++i) {
        const uint32_t next = at + (found.lengths[i] & ~TokenBuffer::kStays);
        Span characters{start + (at - piece.begin), start + (next - piece.begin)};
        if (next > piece.end) {
            // Bytes tokens of a longer spelling can run past the piece; the reference then gives up
            // on the original and reports the positions in the piece.
            characters = counter_.characters({at - piece.begin, next - piece.begin});
        } else if (start == kNoId) {
            characters = counter_.characters({text.origin(at).begin, text.origin(next - 1).end});
        }
        push(found.ids[i], characters, with_spaces_ ? blanks(vocab_.text(found.ids[i])) : Blanks{});
        if (!(found.lengths[i] & TokenBuffer::kStays)) at = next;
    }
    ++word_;
}

uint32_t PlacedSink::ascii_start(const TracedText& text, Span piece) {
    const uint32_t begin = text.copied(piece);
    if (begin == Origins::kNoPlace) return kNoId;
    return counter_.ascii({begin, begin + piece.size()}) ? counter_.starts_before(begin) : kNoId;
}

// The vocabulary lacks a byte of this piece, so the byte vanishes and, in the reference, the tokens
// behind it move to the left by as many bytes as its character has.
void PlacedSink::place_spelled(const TracedText& text, Span piece, const Model& model) {
    Pieces spelled(text, piece);
    spell_bytes(spelled);
    const Span all = spelled.pieces().front();
    TokenBuffer found(true);
    model.tokenize(spelled.bytes(all), found);
    place(spelled.text(), all, found, 0, found.ids.size());
}

}  // namespace edgeward
