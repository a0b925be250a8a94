#include "safety/alternatives.h"

#include <algorithm>

#include "tokenizer/utf8.h"

namespace edgeward::safety {
namespace {

// Bytes to characters, for places that mostly go forward.
class Place {
 public:
    explicit Place(std::string_view text) : text_(text) {}
    uint32_t character(uint32_t byte) {
        if (byte < byte_) byte_ = count_ = 0;
        count_ += static_cast<uint32_t>(utf8_count(text_.substr(byte_, byte - byte_)));
        byte_ = byte;
        return count_;
    }

 private:
    std::string_view text_;
    uint32_t byte_ = 0;
    uint32_t count_ = 0;
};

void add(const DecodedPiece& piece, Span span, std::vector<Alternative>& all) {
    if (all.size() < kMostAlternatives) {
        all.push_back({normalize(piece.text, false).bytes, piece.encoding, span});
        return;
    }
    Alternative& last = all.back();
    last.text += '\n';
    last.text += normalize(piece.text, false).bytes;
    last.span = {std::min(last.span.begin, span.begin), std::max(last.span.end, span.end)};
}

// What is decoded inside a piece stands where the piece stands.
void collect(std::string_view text, int depth, const Span* where, bool rotated,
             std::vector<Alternative>& all) {
    Place place(text);
    for (const DecodedPiece& piece : decode(text)) {
        // Twice rot13 is the text itself.
        if (rotated && piece.encoding == Encoding::kRot13) continue;
        const Span span = where != nullptr ? *where
                                           : Span{place.character(piece.span.begin),
                                                  place.character(piece.span.end)};
        if (depth > 1) {
            collect(piece.text, depth - 1, &span, piece.encoding == Encoding::kRot13, all);
        }
        add(piece, span, all);
    }
}

}  // namespace

std::vector<Alternative> alternatives(std::string_view text) {
    std::vector<Alternative> all;
    collect(text, kDecodeDepth, nullptr, false, all);
    return all;
}

}  // namespace edgeward::safety
