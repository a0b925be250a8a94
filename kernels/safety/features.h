// The hashed features of a text: pieces of words, words, and pairs of words.
//
// Knows: words and hashes. Does not know: weights. A word w of k characters lies between a begin
// and an end mark; its pieces are the 3-, 4- and 5-grams of those k + 2 symbols. Then come the word
// itself, the pair with the word before it and the pair with the one before that (signs stand
// aside: they are features of their own and neither have pieces nor enter pairs). Each becomes a
// 32-bit hash; a table of 2^b entries takes its low b bits (feature hashing, Weinberger et al.
// 2009).
#pragma once

#include <cstdint>

#include "safety/cutter.h"

namespace edgeward::safety {

constexpr std::uint32_t kHashStart = 0x811C9DC5u;
constexpr std::uint32_t kHashPrime = 0x01000193u;
constexpr std::uint32_t kWordSalt = 0x9E3779B9u;
constexpr std::uint32_t kPairSalt = 0x7F4A7C15u;
constexpr std::uint32_t kSkipSalt = 0x94D049BBu;
constexpr std::uint32_t kPairPrime = 0x9E3779B1u;
constexpr char32_t kWordBegin = 2, kWordEnd = 3;
constexpr std::size_t kShortestPiece = 3, kLongestPiece = 5;

// FNV-1a, a step a character.
inline std::uint32_t hash_step(std::uint32_t h, char32_t c) {
    return (h ^ static_cast<std::uint32_t>(c)) * kHashPrime;
}

// Spreads what the low bits of FNV leave bunched (C. Wellons, two rounds of xorshift-multiply).
inline std::uint32_t hash_mix(std::uint32_t h) {
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ (h >> 16);
}

inline std::uint32_t word_hash(const Word& word) {
    std::uint32_t h = kHashStart;
    for (std::size_t i = 0; i < word.size; ++i) h = hash_step(h, word.chars[i]);
    return hash_mix(h);
}

// Calls take(hash) for every piece of a word that is no sign.
template <typename Take>
inline void for_each_piece(const Word& word, Take&& take) {
    std::array<char32_t, kMaxWord + 2> symbols;
    symbols[0] = kWordBegin;
    for (std::size_t i = 0; i < word.size; ++i) symbols[i + 1] = word.chars[i];
    const std::size_t n = word.size + 2u;
    symbols[n - 1] = kWordEnd;
    for (std::size_t begin = 0; begin + kShortestPiece <= n; ++begin) {
        std::uint32_t h = kHashStart;
        const std::size_t end = begin + kLongestPiece < n ? begin + kLongestPiece : n;
        for (std::size_t i = begin; i < end; ++i) {
            h = hash_step(h, symbols[i]);
            if (i + 1 >= begin + kShortestPiece) take(hash_mix(h));
        }
    }
}

// The two words before the one that is being read.
struct WordPairs {
    std::uint32_t before = 0, before_that = 0;

    template <typename Take>
    void add(const Word& word, std::uint32_t hash, Take&& take) {
        take(hash_mix(hash + kWordSalt));
        if (word.sign) return;
        for_each_piece(word, take);
        if (before != 0) take(hash_mix((before * kPairPrime ^ hash) + kPairSalt));
        if (before_that != 0) take(hash_mix((before_that * kPairPrime ^ hash) + kSkipSalt));
        before_that = before;
        before = hash;
    }
};

}  // namespace edgeward::safety
