#include "tokenizer/normalizer_spm.h"

#include "tokenizer/charsmap.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

uint32_t character_at(std::string_view bytes, uint32_t at) {
    return static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(bytes[at])));
}

// Writes a text with changes, giving origins the way the reference counts them: a replacement takes
// the characters it replaces one by one, a longer one shares the last, and a removal is charged to
// the character before it. One before which nothing was written is forgotten, so from there on
// every character takes the origin of an earlier one.
class ChangeWriter {
 public:
    ChangeWriter(const Pieces& text, Span piece, Rewritten& out)
        : text_(text), bytes_(text.bytes()), out_(out), origin_(piece.begin) {}

    // Characters that stay; `origin_` lags behind `span` once a removal was forgotten.
    void keep(Span span) {
        if (span.empty()) return;
        if (!out_.traced || origin_ == span.begin) {
            text_.text().copy(span, out_);
            const char* const end = bytes_.data() + span.end;
            written_ = static_cast<size_t>(end - utf8_before(end));
            origin_ = span.end;
            inserted_ = false;
            return;
        }
        for (uint32_t at = span.begin; at < span.end;) {
            const uint32_t n = character_at(bytes_, at);
            put(bytes_.substr(at, n));
            at += n;
        }
    }

    void replace(Span from, std::string_view to) {
        if (!out_.traced) return out_.add(to, {});
        auto left = static_cast<uint32_t>(utf8_count(bytes_.substr(from.begin, from.size())));
        for (uint32_t at = 0; at < to.size();) {
            const uint32_t n = character_at(to, at);
            if (left > 0) {
                put(to.substr(at, n));
                --left;
            } else {
                insert(to.substr(at, n));
            }
            at += n;
        }
        if (left > 0 && written_) remove(left);
    }

 private:
    void put(std::string_view character) {
        out_.add(character, text_.origin(origin_));
        origin_ += character_at(bytes_, origin_);
        written_ = character.size();
        inserted_ = false;
    }

    void insert(std::string_view character) {
        out_.add(character, text_.origin(origin_ - 1));
        written_ = character.size();
        inserted_ = true;
    }

    void remove(uint32_t characters) {
        if (inserted_) {
            // The last character was an addition; with the removal it counts as a replacement.
            const Span from = text_.origin(origin_);
            const std::string last = out_.bytes.substr(out_.bytes.size() - written_);
            out_.resize(out_.bytes.size() - written_);
            out_.add(last, from);
            inserted_ = false;
        }
        for (; characters > 0; --characters) origin_ += character_at(bytes_, origin_);
    }

    const Pieces& text_;
    std::string_view bytes_;
    Rewritten& out_;
    uint32_t origin_;        // the next character to take an origin from
    size_t written_ = 0;     // bytes of the last character written
    bool inserted_ = false;  // it was an addition
};

class PrecompiledStage final : public NormalizerStage {
 public:
    explicit PrecompiledStage(std::string_view charsmap) : charsmap_(charsmap) {}

    void apply(Pieces& text) const override {
        std::vector<std::vector<Charsmap::Change>> changes;
        bool any = false;
        for (Span piece : text.pieces()) {
            charsmap_.find(text.bytes(piece), changes.emplace_back());
            any = any || !changes.back().empty();
        }
        if (!any) return;
        size_t number = 0;
        text.rewrite([&](Span piece, Rewritten& out) {
            ChangeWriter writer(text, piece, out);
            uint32_t at = piece.begin;
            for (const Charsmap::Change& change : changes[number++]) {
                const Span from{piece.begin + change.from.begin, piece.begin + change.from.end};
                writer.keep({at, from.begin});
                writer.replace(from, change.to);
                at = from.end;
            }
            writer.keep({at, piece.end});
        });
    }

 private:
    Charsmap charsmap_;
};

bool nmt_removes(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
}

bool nmt_blanks(char32_t c) {
    return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xFEFF || c == 0xFFFD;
}

// Control characters vanish, further white space becomes a space.
class NmtStage final : public NormalizerStage {
 public:
    void apply(Pieces& text) const override {
        text.rewrite([&](Span piece, Rewritten& out) {
            for (uint32_t at = piece.begin; at < piece.end;) {
                const Decoded c = utf8_decode(text.bytes().data() + at);
                if (nmt_blanks(c.code)) {
                    out.add(" ", text.origin(at));
                } else if (!nmt_removes(c.code)) {
                    out.add(text.bytes().substr(at, c.length), text.origin(at));
                }
                at += c.length;
            }
        });
    }
};

}  // namespace

std::unique_ptr<NormalizerStage> make_precompiled(std::string_view charsmap) {
    return std::make_unique<PrecompiledStage>(charsmap);
}

std::unique_ptr<NormalizerStage> make_nmt() { return std::make_unique<NmtStage>(); }

}  // namespace edgeward
