// Philox4x32-10: random numbers as a function of a key and a counter, with no state between calls.
//
// Knows: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Does not know:
// what the numbers are for. Constant expressions throughout, so that any thread, machine or device
// that is given the same key and counter sees the same four words.
#pragma once

#include <array>
#include <cstdint>

namespace edgeward::sampling {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter philox4x32_10(PhiloxCounter counter, PhiloxKey key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t left = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t right = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<std::uint32_t>(right >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(right),
                   static_cast<std::uint32_t>(left >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(left)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return counter;
}

// What a draw is for; part of the counter, so that no two uses of one position share a number.
enum class Stream : std::uint32_t { kToken = 0, kExclude = 1 };

// 64 random bits for one attempt at one position of the request with this seed.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t position,
                                    std::uint32_t attempt, Stream stream) {
    const PhiloxCounter words = philox4x32_10(
        {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), attempt,
         static_cast<std::uint32_t>(stream)},
        {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return words[0] | (std::uint64_t{words[1]} << 32);
}

}  // namespace edgeward::sampling
