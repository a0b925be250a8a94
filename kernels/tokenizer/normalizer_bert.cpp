#include "tokenizer/normalizer_bert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "tokenizer/normalization.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace edgeward {

// 0x2B920 is the reference's own figure (the original has 0x2B820), and ids depend on it.
bool is_bert_chinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

namespace {

using Tables = NormalizationTables;

class BertStage final : public NormalizerStage {
 public:
    BertStage(const BertOptions& options, std::vector<std::unique_ptr<NormalizerStage>> stages)
        : options_(options), stages_(std::move(stages)) {
        std::string made;
        for (char32_t c = 0; c < kKnown; ++c) {
            made.clear();
            Short& known = known_[c];
            known.size = write(c, made) && made.size() <= sizeof known.bytes
                             ? static_cast<uint8_t>(made.size())
                             : kUnknown;
            if (known.size != kUnknown) std::memcpy(known.bytes, made.data(), made.size());
        }
    }

    void apply(Pieces& text) const override {
        text.rewrite([&](Span piece, Rewritten& out) {
            const size_t begin = out.bytes.size();
            if (text.traced() ? write_traced(text, piece, out)
                              : write_all(text.bytes(piece), out.bytes)) {
                return;
            }
            out.resize(begin);
            Pieces slow(text.text(), piece, text.traced());
            for (const auto& stage : stages_) stage->apply(slow);
            if (!slow.pieces().empty()) slow.text().copy(slow.pieces().front(), out);
        });
    }

    bool keeps(std::string_view text) const override {
        for (const char byte : text) {
            const auto c = static_cast<unsigned char>(byte);
            if (c >= 0x80 || known_[c].size != 1 || known_[c].bytes[0] != byte) return false;
        }
        return true;
    }

 private:
    static constexpr char32_t kKnown = 0x600;  // Latin, Greek, Cyrillic, Armenian, Hebrew
    static constexpr uint8_t kUnknown = 0xFF;
    struct Short {
        uint8_t size;
        char bytes[7];
    };

    // False if characters act on each other: marks that stay and may have to change places.
    bool write_all(std::string_view text, std::string& out) const {
        const char* at = text.data();
        const char* const end = at + text.size();
        // Into a buffer first, seven bytes a character, of which its own size counts.
        char room[kRoom + sizeof(Short)];
        char* to = room;
        const auto flush = [&] {
            out.append(room, static_cast<size_t>(to - room));
            to = room;
        };
        while (at < end) {
            const auto byte = static_cast<unsigned char>(*at);
            const Decoded c = byte < 0x80 ? Decoded{byte, 1} : utf8_decode(at);
            at += c.length;
            if (c.code < kKnown && known_[c.code].size != kUnknown) {
                std::memcpy(to, known_[c.code].bytes, sizeof known_[c.code].bytes);
                to += known_[c.code].size;
                if (to >= room + kRoom) flush();
                continue;
            }
            if (stays(c.code)) {
                for (const char* from = at - c.length; from < at;) *to++ = *from++;
                if (to >= room + kRoom) flush();
                continue;
            }
            flush();
            if (!write(c.code, out)) return false;
        }
        flush();
        return true;
    }

    // Whether it is quick to see that one character becomes itself.
    bool stays(char32_t c) const {
        constexpr uint16_t kClassBits = kBertRemovedBit | kSpaceBit | kNonspacingBit;
        constexpr uint16_t kTableBits =
            Tables::kCanonicalBit | Tables::kClassMask | Tables::kLowerBit;
        return !(classes_.bits(c) & kClassBits) && !(tables_.bits(c) & kTableBits) &&
               !(options_.chinese && is_bert_chinese(c));
    }

    // The same with origins: what a character becomes comes from that character.
    bool write_traced(const Pieces& text, Span piece, Rewritten& out) const {
        const std::string_view bytes = text.bytes();
        char room[kRoom];
        std::string made;
        for (uint32_t at = piece.begin; at < piece.end;) {
            // One byte for one: most of a text.
            const uint32_t most = std::min(piece.end - at, static_cast<uint32_t>(kRoom));
            uint32_t count = 0;
            for (; count < most; ++count) {
                const auto byte = static_cast<unsigned char>(bytes[at + count]);
                if (byte >= 0x80 || known_[byte].size != 1) break;
                room[count] = known_[byte].bytes[0];
            }
            if (text.unchanged()) {
                out.add_copy({room, count}, at);
            } else {
                for (uint32_t i = 0; i < count; ++i) out.add({room + i, 1}, text.origin(at + i));
            }
            at += count;
            if (count == most) continue;
            const Decoded c = utf8_decode(bytes.data() + at);
            if (c.code < kKnown && known_[c.code].size != kUnknown) {
                out.add({known_[c.code].bytes, known_[c.code].size}, text.origin(at));
            } else if (stays(c.code)) {
                out.add(bytes.substr(at, c.length), text.origin(at));
            } else {
                made.clear();
                if (!write(c.code, made)) return false;
                out.add(made, text.origin(at));
            }
            at += c.length;
        }
        return true;
    }

    // What becomes of one character. False as above.
    bool write(char32_t c, std::string& out) const {
        const CharClasses& classes = CharClasses::get();
        if (options_.clean && (classes.bits(c) & kBertRemovedBit)) return true;
        if (options_.clean && classes.space(c)) c = ' ';
        const bool spaced = options_.chinese && is_bert_chinese(c);
        if (spaced) out += ' ';
        if (!(options_.strip_accents ? decompose(c, out) : lower(c, out))) return false;
        if (spaced) out += ' ';
        return true;
    }

    bool decompose(char32_t c, std::string& out) const {
        const Tables& tables = Tables::get();
        if (!(tables.bits(c) & Tables::kCanonicalBit)) return strip(c, out);
        if (c < 0xAC00 || c >= 0xD7A4) {
            for (const uint32_t part : tables.canonical(c)) {
                if (!strip(part, out)) return false;
            }
            return true;
        }
        const char32_t index = c - 0xAC00;  // a Hangul syllable
        return strip(0x1100 + index / 588, out) && strip(0x1161 + index % 588 / 28, out) &&
               (index % 28 == 0 || strip(0x11A7 + index % 28, out));
    }

    bool strip(char32_t c, std::string& out) const {
        if (CharClasses::get().bits(c) & kNonspacingBit) return true;
        if (Tables::get().bits(c) & Tables::kClassMask) return false;
        return lower(c, out);
    }

    bool lower(char32_t c, std::string& out) const {
        const Tables& tables = Tables::get();
        if (options_.lowercase && (tables.bits(c) & Tables::kLowerBit)) {
            for (const uint32_t part : tables.lower(c)) utf8_append(out, part);
        } else {
            utf8_append(out, c);
        }
        return true;
    }

    static constexpr size_t kRoom = 4096;
    const CharClasses& classes_ = CharClasses::get();
    const Tables& tables_ = Tables::get();
    BertOptions options_;
    std::vector<std::unique_ptr<NormalizerStage>> stages_;
    std::array<Short, kKnown> known_;
};

}  // namespace

std::unique_ptr<NormalizerStage> make_bert(const BertOptions& options,
                                           std::vector<std::unique_ptr<NormalizerStage>> stages) {
    return std::make_unique<BertStage>(options, std::move(stages));
}

}  // namespace edgeward
