// 64 bytes at a time as masks: bit i of a mask says something about byte i.
//
// Knows: the 128-bit instructions that every x86-64 and every 64-bit Arm has, and a plain loop for
// the rest. Does not know: what the classes of bytes mean.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace edgeward {

// A mask of the lowest `n` bits, 0 <= n <= 64.
inline uint64_t low_bits(unsigned n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; }

inline unsigned lowest_bit(uint64_t mask) { return static_cast<unsigned>(std::countr_zero(mask)); }
inline unsigned highest_bit(uint64_t mask) {
    return 63u - static_cast<unsigned>(std::countl_zero(mask));
}

#if defined(__SSE2__)

class ByteBlock {
 public:
    explicit ByteBlock(const char* p) {
        for (int i = 0; i < 4; ++i) {
            part_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i);
        }
    }

    uint64_t non_ascii() const {
        return gather([](__m128i v) { return v; });
    }
    uint64_t equal(char c) const {
        const __m128i wanted = _mm_set1_epi8(c);
        return gather([=](__m128i v) { return _mm_cmpeq_epi8(v, wanted); });
    }
    // first <= byte <= last.
    uint64_t between(unsigned char first, unsigned char last) const {
        return gather([=](__m128i v) { return in_range(v, first, last); });
    }
    // A letter of ASCII.
    uint64_t letters() const {
        const __m128i low = _mm_set1_epi8(0x20);
        return gather([=](__m128i v) { return in_range(_mm_or_si128(v, low), 'a', 'z'); });
    }

 private:
    static __m128i in_range(__m128i v, unsigned char first, unsigned char last) {
        const __m128i from = _mm_sub_epi8(v, _mm_set1_epi8(static_cast<char>(first)));
        const __m128i width = _mm_set1_epi8(static_cast<char>(last - first));
        return _mm_cmpeq_epi8(_mm_min_epu8(from, width), from);
    }
    template <class Test>
    uint64_t gather(Test&& test) const {
        uint64_t mask = 0;
        for (int i = 0; i < 4; ++i) {
            const auto bits = static_cast<uint32_t>(_mm_movemask_epi8(test(part_[i])));
            mask |= uint64_t{bits} << (16 * i);
        }
        return mask;
    }

    __m128i part_[4];
};

#elif defined(__aarch64__) && defined(__ARM_NEON)

class ByteBlock {
 public:
    explicit ByteBlock(const char* p) {
        for (int i = 0; i < 4; ++i) {
            part_[i] = vld1q_u8(reinterpret_cast<const uint8_t*>(p) + 16 * i);
        }
    }

    uint64_t non_ascii() const {
        return gather([](uint8x16_t v) { return vcgeq_u8(v, vdupq_n_u8(0x80)); });
    }
    uint64_t equal(char c) const {
        const uint8x16_t wanted = vdupq_n_u8(static_cast<uint8_t>(c));
        return gather([=](uint8x16_t v) { return vceqq_u8(v, wanted); });
    }
    // first <= byte <= last.
    uint64_t between(unsigned char first, unsigned char last) const {
        return gather([=](uint8x16_t v) { return in_range(v, first, last); });
    }
    // A letter of ASCII.
    uint64_t letters() const {
        return gather(
            [](uint8x16_t v) { return in_range(vorrq_u8(v, vdupq_n_u8(0x20)), 'a', 'z'); });
    }

 private:
    static uint8x16_t in_range(uint8x16_t v, unsigned char first, unsigned char last) {
        const uint8_t width = static_cast<uint8_t>(last - first);
        return vcleq_u8(vsubq_u8(v, vdupq_n_u8(first)), vdupq_n_u8(width));
    }
    // Each byte keeps the bit of its place among eight; three rounds of pairwise sums join them.
    template <class Test>
    uint64_t gather(Test&& test) const {
        const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
        uint8x16_t bits[4];
        for (int i = 0; i < 4; ++i) bits[i] = vandq_u8(test(part_[i]), places);
        const uint8x16_t low = vpaddq_u8(bits[0], bits[1]);
        const uint8x16_t high = vpaddq_u8(bits[2], bits[3]);
        const uint8x16_t half = vpaddq_u8(low, high);
        return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(half, half)), 0);
    }

    uint8x16_t part_[4];
};

#else

class ByteBlock {
 public:
    explicit ByteBlock(const char* p) { std::memcpy(bytes_, p, sizeof bytes_); }

    uint64_t non_ascii() const { return between(0x80, 0xFF); }
    uint64_t equal(char c) const {
        return gather([=](unsigned char byte) { return byte == static_cast<unsigned char>(c); });
    }
    // first <= byte <= last.
    uint64_t between(unsigned char first, unsigned char last) const {
        return gather([=](unsigned char byte) { return byte >= first && byte <= last; });
    }
    // A letter of ASCII.
    uint64_t letters() const {
        return gather(
            [](unsigned char byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; });
    }

 private:
    template <class Test>
    uint64_t gather(Test&& test) const {
        uint64_t mask = 0;
        for (unsigned i = 0; i < 64; ++i) mask |= uint64_t{test(bytes_[i])} << i;
        return mask;
    }

    unsigned char bytes_[64];
};

#endif

}  // namespace edgeward
