// Sixteen bytes of JSON at a time: where a string ends, and whether what is in it is plain.
//
// Knows: byte values and the vector instructions that every x86-64 and every 64-bit Arm has.
// Does not know: the grammar. Bit i of a mask speaks of byte i.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace edgeward::json {

inline constexpr size_t kBlock = 16;

class Block {
 public:
    explicit Block(const char* p) { std::memcpy(&bytes_, p, kBlock); }

    uint32_t equal(char c) const { return mask(bytes_ == splat(c)); }
    // Bytes of multi-byte characters; bytes that follow the first of one.
    uint32_t high() const { return signs(bytes_); }
    uint32_t following() const { return mask(bytes_ < splat(-64)); }
    // Control characters, and all of high().
    uint32_t low_or_high() const { return mask(bytes_ < splat(' ')); }
    uint32_t within(int first, int last) const {
        return mask((bytes_ >= splat(first)) & (bytes_ <= splat(last)));
    }

 private:
    using Bytes = int8_t __attribute__((vector_size(kBlock)));

    static Bytes splat(int c) { return Bytes{} + static_cast<int8_t>(c); }

    // `truth` holds 0 or -1 in every byte.
    static uint32_t mask(Bytes truth) { return signs(truth); }

    static uint32_t signs(Bytes bytes) {
#if defined(__SSE2__)
        return static_cast<uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(bytes)));
#elif defined(__aarch64__)
        constexpr uint8x16_t kBits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t bits = vandq_u8(reinterpret_cast<uint8x16_t>(bytes < splat(0)), kBits);
        return vaddv_u8(vget_low_u8(bits)) | uint32_t{vaddv_u8(vget_high_u8(bits))} << 8;
#else
        uint32_t bits = 0;
        for (size_t i = 0; i < kBlock; ++i) bits |= static_cast<uint32_t>(bytes[i] < 0) << i;
        return bits;
#endif
    }

    Bytes bytes_;
};

// True when the characters of several bytes among the bytes `range` selects (a run from bit 0) are
// whole and of the lead bytes that allow any following ones. False says only "look closer": leads
// E0, ED, F0 and F4, which allow some, are always answered so.
inline bool surely_valid(const Block& block, uint32_t range) {
    const uint32_t high = block.high() & range;
    const uint32_t following = block.following() & range;
    const uint32_t of2 = block.within(-0x3E, -0x21) & range;  // C2 .. DF
    if (of2 << 1 == following && (of2 | following) == high) return true;
    const uint32_t of3 = block.within(-0x1F, -0x11) & ~block.equal('\xED') & range;  // E1 .. EF
    const uint32_t of4 = block.within(-0x0F, -0x0D) & range;                         // F1 .. F3
    const uint32_t leads = of2 | of3 | of4;
    const uint32_t wanted = leads << 1 | (of3 | of4) << 2 | of4 << 3;
    return wanted == following && (leads | following) == high;
}

}  // namespace edgeward::json
