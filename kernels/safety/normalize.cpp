#include "safety/normalize.h"

#include <algorithm>
#include <stdexcept>

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward::safety {
namespace {

bool is_space(char32_t c) { return c == U' ' || c == U'\n'; }
bool is_digit(char32_t c) { return c - U'0' < 10; }

// Characters that a word is made of: letters, digits, and the signs that may stand for letters.
bool in_word(char32_t c) {
    if (c < 0x80) return is_ascii_letter(c) || is_digit(c) || leet_letter(c) != 0;
    return is_word_letter(c);
}

// Letters that someone may space out: of scripts that write words of such letters.
bool can_be_spaced(char32_t c) {
    return is_ascii_letter(c) || (c >= 0x370 && c < 0x590 && is_word_letter(c));
}

bool separates(char32_t c) {
    switch (c) {
        case U' ':
        case U'.':
        case U'-':
        case U'_':
        case U'*':
        case U'/':
        case U'|':
        case U',':
        case U'~':
        case 0xB7:
            return true;
        default:
            return false;
    }
}

}  // namespace

void Normalizer::push(std::string_view text, Text& out) {
    if (text.size() > INT32_MAX - taken_) {
        throw std::invalid_argument("a text of " + std::to_string(uint64_t{taken_} + text.size()) +
                                    " bytes is too long; it must have at most " +
                                    std::to_string(INT32_MAX));
    }
    const auto sink = [&](Unit unit) { character(unit, out); };
    for (size_t i = 0; i < text.size();) {
        if (idle()) {
            if (const size_t n = plain_run(text, i, out); n > 0) {
                i += n;
                taken_ += static_cast<uint32_t>(n);
                continue;
            }
        }
        const Decoded c = utf8_decode(text.data() + i);
        folder_.push(c.code, taken_++, sink);
        i += c.length;
    }
}

void Normalizer::finish(Text& out) {
    folder_.finish([&](Unit unit) { character(unit, out); });
    end_word(out);
    end_spaced(out);
    if (space_.code != 0) write(space_, out);
    if (traced_) out.origins.push_back(taken_);
    *this = Normalizer(traced_);
}

uint32_t Normalizer::pending() const {
    uint32_t first = taken_;
    if (!folder_.idle()) first = folder_.held_at();
    if (!word_.empty()) first = word_.front().at;
    if (!spaced_.empty()) first = spaced_.front().at;
    return space_.code != 0 ? std::min(first, space_.at) : first;
}

// Most text is words of ASCII letters with a space between them; they need no look at each
// character. Returns how many bytes were dealt with. Nothing else may be pending.
size_t Normalizer::plain_run(std::string_view text, size_t at, Text& out) {
    // A longer word is cut where the slow way cuts it; looking further would be for nothing.
    const size_t limit = std::min(text.size(), at + kWordLimit);
    size_t end = at;
    while (end < limit && is_ascii_letter(static_cast<unsigned char>(text[end]) | 32u)) ++end;
    const size_t size = end - at;
    if (size == 0) {
        if (text[at] != ' ') return 0;
        if (space_.code == 0) space_ = {U' ', taken_};
        return 1;
    }
    // A single letter may be spaced out; what follows may belong to the word.
    if (size < 2 || end == limit) return 0;
    const auto next = static_cast<unsigned char>(text[end]);
    if (next >= 0x80 || next < 0x20 || in_word(next)) return 0;
    if (space_.code != 0) write(space_, out);
    note_plain(size, before_);
    least_ = kSpacedLetters;
    for (size_t i = at; i < end; ++i) {
        const char c = static_cast<char>(text[i] | 32);
        if (static_cast<char32_t>(c) == last_) {
            if (++repeats_ > 2) continue;
        } else {
            last_ = static_cast<char32_t>(c);
            repeats_ = 1;
        }
        out.bytes.push_back(c);
        if (traced_) out.origins.push_back(taken_ + static_cast<uint32_t>(i - at));
    }
    return size;
}

void Normalizer::character(Unit unit, Text& out) {
    if (in_word(unit.code)) {
        word_.push_back(unit);
        if (word_.size() == kWordLimit) end_word(out);
    } else {
        end_word(out);
        delimiter(unit, out);
    }
}

void Normalizer::end_word(Text& out) {
    if (word_.empty()) return;
    rewrite_word(word_, before_);
    word_or_letter(out);
    word_.clear();
}

void Normalizer::word_or_letter(Text& out) {
    if (word_.size() == 1 && can_be_spaced(word_[0].code)) {
        if (!spaced_.empty() && !open_) end_spaced(out);
        if (spaced_letters_ >= least_) {
            if (spaced_.size() == kWordLimit) end_spaced(out);
        } else if (open_) {
            spaced_.push_back(separator_);
        }
        open_ = false;
        spaced_.push_back(word_[0]);
        if (++spaced_letters_ == least_) {
            std::erase_if(spaced_, [&](const Unit& u) { return u.code == separator_.code; });
        }
        return;
    }
    end_spaced(out);
    least_ = kSpacedLetters;
    for (const Unit& unit : word_) emit(unit, out);
}

void Normalizer::delimiter(Unit unit, Text& out) {
    const bool first = separator_.code == 0 && separates(unit.code);
    if (!spaced_.empty() && !open_ && (first || unit.code == separator_.code)) {
        separator_ = unit;
        open_ = true;
        return;
    }
    end_spaced(out);
    emit(unit, out);
}

void Normalizer::end_spaced(Text& out) {
    if (spaced_letters_ >= least_) {
        // Each letter has been a word already: only what they are together is new.
        Before alone;
        rewrite_word(spaced_, alone);
        least_ = kSpacedNext;
    }
    for (const Unit& unit : spaced_) emit(unit, out);
    if (open_) emit(separator_, out);
    spaced_.clear();
    spaced_letters_ = 0;
    separator_ = {};
    open_ = false;
}

void Normalizer::emit(Unit unit, Text& out) {
    if (is_space(unit.code)) {
        if (space_.code == 0) space_.at = unit.at;
        if (space_.code != U'\n') space_.code = unit.code;
        return;
    }
    if (space_.code != 0) write(space_, out);
    if (unit.code == last_) {
        if (++repeats_ > 2 && !is_digit(unit.code)) return;
    } else {
        repeats_ = 1;
    }
    write(unit, out);
}

void Normalizer::write(Unit unit, Text& out) {
    if (is_space(unit.code)) {
        space_ = {};
        repeats_ = 1;
    }
    last_ = unit.code;
    utf8_append(out.bytes, unit.code);
    if (traced_) out.origins.resize(out.bytes.size(), unit.at);
}

Text normalize(std::string_view text, bool traced) {
    Text out;
    out.bytes.reserve(text.size() + 8);
    if (traced) out.origins.reserve(text.size() + 8);
    Normalizer normalizer(traced);
    normalizer.push(text, out);
    normalizer.finish(out);
    return out;
}

}  // namespace edgeward::safety
