// A fast hash of short byte strings for tables built from files that may be hostile.
//
// Knows: bytes and a seed. The seed is drawn once a table, so a file cannot be made to collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace edgeward {

inline uint64_t mix(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t load8(const char* p) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    return word;
}

inline uint64_t load4(const char* p) {
    uint32_t word;
    std::memcpy(&word, p, 4);
    return word;
}

inline uint64_t hash_bytes(std::string_view text, uint64_t seed) {
    constexpr uint64_t kA = 0x9E3779B97F4A7C15u;
    constexpr uint64_t kB = 0xC2B2AE3D27D4EB4Fu;
    const char* p = text.data();
    size_t n = text.size();
    uint64_t h = seed ^ (n * kA);
    while (n > 16) {
        h = mix(load8(p) ^ h, load8(p + 8) ^ kA);
        p += 16;
        n -= 16;
    }
    uint64_t low = 0;
    uint64_t high = 0;
    if (n >= 8) {
        low = load8(p);
        high = load8(p + n - 8);
    } else if (n >= 4) {
        low = load4(p);
        high = load4(p + n - 4);
    } else if (n > 0) {
        const auto byte = [p](size_t i) { return uint64_t{static_cast<unsigned char>(p[i])}; };
        low = byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
    }
    return mix(low ^ h ^ kB, high ^ kA ^ (h >> 32));
}

inline uint64_t random_seed() {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
}

}  // namespace edgeward
