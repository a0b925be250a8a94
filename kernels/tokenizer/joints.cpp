#include "tokenizer/joints.h"

#include <algorithm>
#include <bit>

#include "tokenizer/utf8.h"

namespace edgeward {

Joints::Joints(size_t tokens) {
    // Eight bits a token: vocabularies have fewer pairs than tokens, unless they are tiny.
    const size_t bits = std::bit_ceil(std::max<size_t>(tokens * 8, 4096));
    others_.resize(bits / 64);
    shift_ = 64 - std::countr_zero(bits);
}

void Joints::learn(std::string_view token) {
    char32_t before = 0;
    for (size_t i = 0; i < token.size();) {
        const Decoded c = utf8_decode(token.data() + i);
        if (i > 0) {
            before_mark_ = before_mark_ || (c.code == 0x2581 && before != 0x2581);
            if (before < 128 && c.code < 128) {
                ascii_[before][c.code >> 6] |= uint64_t{1} << (c.code & 63);
            } else {
                const uint32_t at = place(before, c.code);
                others_[at >> 6] |= uint64_t{1} << (at & 63);
            }
        }
        before = c.code;
        i += c.length;
    }
}

}  // namespace edgeward
