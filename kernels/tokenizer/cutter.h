// Cutting a text into pieces a block at a time, so that nothing as long as the text is stored.
//
// Knows: the contract, and the loop over windows of 64 bytes that the hand-built cutters share.
// Does not know: any pattern.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/byte_block.h"
#include "tokenizer/span.h"
#include "tokenizer/utf8.h"

namespace edgeward {

class Cutter {
 public:
    // The least room that `cut` may be given.
    static constexpr size_t kLeastRoom = 64;

    virtual ~Cutter() = default;

    // Writes pieces of `text` from byte `at` on into `out` and moves `at` behind what they take;
    // returns how many. `at` is 0 at first and the size of the text when nothing is left. Pieces
    // are in order, none is empty; gaps between them are removed text.
    virtual size_t cut(std::string_view text, uint32_t& at, std::span<Span> out) const = 0;

    // All pieces of `text`, appended.
    void cut_all(std::string_view text, std::vector<Span>& out) const {
        Span block[256];
        for (uint32_t at = 0; at < text.size();) {
            const size_t count = cut(text, at, block);
            out.insert(out.end(), block, block + count);
        }
    }
};

// Up to 64 bytes of text that start where a piece starts and end between two characters.
struct Window {
    const char* p;  // 64 bytes can be read
    unsigned size;
    bool last;  // the text ends here
};

// Where pieces start in a window, as a mask. Bit 0 is set. A piece between two starts is certain;
// what starts at the last is certain only if `complete`, and ends with the window then.
struct Starts {
    uint64_t bits;
    bool complete;
};

// Cuts by `words.starts(Window) -> Starts`; `words.piece(p, end)` returns the end of the piece that
// starts at `p`, for what a window cannot decide. Nothing here branches on single words: the
// length of a word is what a processor predicts worst.
template <class Words>
size_t cut_windows(const Words& words, std::string_view text, uint32_t& at, std::span<Span> out) {
    const auto size = static_cast<uint32_t>(text.size());
    const char* const base = text.data();
    char tail[64];
    size_t count = 0;
    uint32_t begin = at;
    while (begin < size && count + 64 <= out.size()) {
        Window window{base + begin, 64, size - begin <= 64};
        if (size - begin < 64) {
            window.size = size - begin;
            std::memset(tail, 0, sizeof tail);
            std::memcpy(tail, window.p, window.size);
            window.p = tail;
        } else if (!window.last) {
            while (is_continuation(window.p[window.size])) --window.size;
        }
        const Starts starts = words.starts(window);
        uint64_t left = starts.bits & (starts.bits - 1);  // bit 0 is `begin` itself
        if (left == 0 && !starts.complete) {
            const char* const end = words.piece(base + begin, base + size);
            out[count++] = {begin, static_cast<uint32_t>(end - base)};
            begin = out[count - 1].end;
            continue;
        }
        const uint32_t origin = begin;
        for (; left != 0; left &= left - 1) {
            const uint32_t next = origin + lowest_bit(left);
            out[count++] = {begin, next};
            begin = next;
        }
        if (starts.complete) {
            out[count++] = {begin, origin + window.size};
            begin = origin + window.size;
        }
    }
    at = begin;
    return count;
}

}  // namespace edgeward
