// Text on its way through the pipeline: what it reads now, and where each byte came from.
//
// Knows: bytes, pieces of them, and the original span behind every byte. Does not know: what
// changed it. All positions are bytes of the original input; characters are counted at the end.
#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/origins.h"
#include "tokenizer/span.h"
#include "tokenizer/utf8.h"

namespace edgeward {

// A changed text and, byte by byte, the original span it stands for.
struct Rewritten {
    std::string bytes;
    Origins origins;
    bool traced = true;  // false: nobody will ask for the spans, and none are kept

    void add(std::string_view part, Span from) {
        if (traced && !part.empty()) origins.add(size(), part, from);
        bytes.append(part);
    }
    // A copy of whole characters that start at byte `begin` of the original.
    void add_copy(std::string_view part, uint32_t begin) {
        if (traced && !part.empty()) origins.follow(size(), begin);
        bytes.append(part);
    }
    // Forgets all, but not how much room there was.
    void clear() { resize(0); }
    // Forgets all but `size` bytes.
    void resize(size_t size) {
        bytes.resize(size);
        origins.resize(static_cast<uint32_t>(size));
    }
    uint32_t size() const { return static_cast<uint32_t>(bytes.size()); }
};

// A view of what a text reads now, and of where its bytes came from.
class TracedText {
 public:
    // An original, unchanged.
    explicit TracedText(std::string_view original) : bytes_(original) {}
    explicit TracedText(const Rewritten& changed)
        : bytes_(changed.bytes), origins_(changed.traced ? &changed.origins : &kUntraced) {}

    std::string_view bytes() const { return bytes_; }
    std::string_view bytes(Span piece) const { return bytes_.substr(piece.begin, piece.size()); }
    bool unchanged() const { return origins_ == nullptr; }

    // The original span behind the character at byte `at` of a changed or unchanged text; anything
    // for one that is not traced.
    Span origin(uint32_t at) const {
        if (origins_ != nullptr) {
            return origins_ == &kUntraced ? Span{} : origins_->origin(at, bytes_, cursor_);
        }
        while (is_continuation(bytes_[at])) --at;
        const auto lead = static_cast<unsigned char>(bytes_[at]);
        return {at, at + static_cast<uint32_t>(utf8_length(lead))};
    }

    // Where in the original the bytes `span`, not empty, begin, if they are a copy of it; else
    // Origins::kNoPlace. For a text that is traced.
    uint32_t copied(Span span) const {
        return unchanged() ? span.begin : origins_->copied(span, cursor_);
    }

    // Appends the bytes `span`, whole characters, with their origins.
    void copy(Span span, Rewritten& out) const;

 private:
    static const Origins kUntraced;
    std::string_view bytes_;
    const Origins* origins_ = nullptr;  // of bytes_; null while the text is the original
    mutable Origins::Cursor cursor_;    // texts belong to one call, and so to one thread
};

// Text between two stages and the pieces it is cut into. Pieces are in order and may leave gaps
// (removed delimiters); each is cut and tokenized alone.
class Pieces {
 public:
    // The piece `span` of `text`, which must outlive this. Spans are not kept unless `traced`.
    Pieces(const TracedText& text, Span span, bool traced = true)
        : text_(text), pieces_{span}, traced_(traced) {}
    // The piece `span` of an original text, unchanged.
    Pieces(std::string_view original, Span span) : Pieces(TracedText(original), span) {}
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;

    const TracedText& text() const { return text_; }
    std::string_view bytes() const { return text_.bytes(); }
    std::string_view bytes(Span piece) const { return text_.bytes(piece); }
    const std::vector<Span>& pieces() const { return pieces_; }
    bool unchanged() const { return text_.unchanged(); }
    bool traced() const { return traced_; }
    Span origin(uint32_t at) const { return text_.origin(at); }

    // Cuts every piece: `cut(text, out)` appends the spans, relative to `text`, of what is kept.
    // Empty spans are dropped.
    template <class Cut>
    void split(Cut&& cut) {
        std::vector<Span> next;
        next.reserve(pieces_.size() * 2);
        std::vector<Span> found;
        for (Span piece : pieces_) {
            found.clear();
            cut(bytes(piece), found);
            for (Span part : found) {
                if (!part.empty())
                    next.push_back({piece.begin + part.begin, piece.begin + part.end});
            }
        }
        pieces_ = std::move(next);
    }

    // Rewrites every piece: `rewrite(piece, out)` appends its new form to `out`.
    template <class Rewrite>
    void rewrite(Rewrite&& rewrite) {
        Rewritten& out = owned_.emplace_front();
        out.traced = traced_;
        std::vector<Span> next;
        next.reserve(pieces_.size());
        for (Span piece : pieces_) {
            const auto begin = static_cast<uint32_t>(out.bytes.size());
            rewrite(piece, out);
            next.push_back({begin, static_cast<uint32_t>(out.bytes.size())});
        }
        pieces_ = std::move(next);
        text_ = TracedText(out);
    }

 private:
    TracedText text_;
    std::vector<Span> pieces_;
    bool traced_;
    std::forward_list<Rewritten> owned_;
};

}  // namespace edgeward
