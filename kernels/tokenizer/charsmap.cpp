#include "tokenizer/charsmap.h"

#include <array>
#include <cstring>
#include <stdexcept>

#include "tokenizer/grapheme.h"
#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

// A unit of the double array, as darts-clone lays it out.
bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t leaf_value(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label(uint32_t unit) { return unit & 0x800000FF; }
uint64_t offset(uint32_t unit) { return uint64_t{unit >> 10} << ((unit & (1u << 9)) >> 6); }

// The cluster of this many bytes is too long to be replaced as a whole.
constexpr uint32_t kLongCluster = 6;

std::string decode_base64(std::string_view text) {
    std::array<int8_t, 256> digits;
    digits.fill(-1);
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < kAlphabet.size(); ++i) {
        digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
    }
    if (text.size() % 4 != 0) {
        throw std::invalid_argument("normalizer.precompiled_charsmap is not base64: its length " +
                                    std::to_string(text.size()) + " is no multiple of 4");
    }
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 3);
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int digit = digits[static_cast<unsigned char>(c)];
        if (digit < 0) {
            throw std::invalid_argument("normalizer.precompiled_charsmap is not base64");
        }
        bits = bits << 6 | static_cast<uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>(bits >> count & 0xFF));
        }
    }
    return bytes;
}

}  // namespace

Charsmap::Charsmap(std::string_view base64) {
    const std::string blob = decode_base64(base64);
    uint32_t size = 0;
    if (blob.size() >= sizeof size) std::memcpy(&size, blob.data(), sizeof size);
    size -= size % 4;
    if (size == 0 || size > blob.size() - sizeof size) {
        throw std::invalid_argument("normalizer.precompiled_charsmap has " +
                                    std::to_string(blob.size()) + " bytes and says that " +
                                    std::to_string(size) + " of them are its trie");
    }
    units_.resize(size / 4);
    std::memcpy(units_.data(), blob.data() + sizeof size, size);
    replacements_ = blob.substr(sizeof size + size);
    if (utf8_valid_prefix(replacements_) != replacements_.size()) {
        throw std::invalid_argument("normalizer.precompiled_charsmap maps to invalid UTF-8");
    }
    for (int i = 0; i < 128; ++i) {
        const char c = static_cast<char>(i);
        plain_[i] = !replacement({&c, 1});
    }
    plain_['\r'] = false;  // may form a cluster with the character behind it
    printable_ = true;
    for (int c = ' '; c <= '~'; ++c) printable_ = printable_ && plain_[c];
}

std::optional<std::string_view> Charsmap::replacement(std::string_view part) const {
    std::optional<std::string_view> found;
    walk(part, [&](size_t, std::string_view to) {
        found = to;
        return false;
    });
    return found;
}

std::optional<Charsmap::Change> Charsmap::longest(std::string_view text) const {
    std::optional<Change> found;
    walk(text, [&](size_t size, std::string_view to) {
        found = Change{{0, static_cast<uint32_t>(size)}, to};
        return true;
    });
    return found;
}

template <class Take>
void Charsmap::walk(std::string_view part, Take&& take) const {
    uint64_t at = offset(units_[0]);
    for (size_t i = 0; i < part.size(); ++i) {
        const auto byte = static_cast<unsigned char>(part[i]);
        if (byte == 0) return;
        at ^= byte;
        if (at >= units_.size() || label(units_[at]) != byte) return;
        const uint32_t unit = units_[at];
        at ^= offset(unit);
        if (!has_leaf(unit)) continue;
        const uint32_t begin = at < units_.size() ? leaf_value(units_[at]) : UINT32_MAX;
        if (begin > replacements_.size() ||
            (begin < replacements_.size() && is_continuation(replacements_[begin]))) {
            throw std::invalid_argument(
                "normalizer.precompiled_charsmap is damaged: a replacement lies outside of it");
        }
        const size_t end = replacements_.find('\0', begin);
        if (!take(i + 1, std::string_view(replacements_).substr(begin, end - begin))) return;
    }
}

// The first character from `at` on that is not plain, or is followed by one that is not ASCII and
// so may join it.
uint32_t Charsmap::skip_plain(std::string_view text, uint32_t at) const {
    const auto size = static_cast<uint32_t>(text.size());
    const char* p = text.data();
    if (printable_) {
        // Eight printable characters at a time: no byte above the tilde or below the space.
        constexpr uint64_t kOnes = 0x0101010101010101;
        for (; at + 9 <= size; at += 8) {
            uint64_t word;
            std::memcpy(&word, p + at, sizeof word);
            const uint64_t below = (word - kOnes * 0x20) & ~word;
            const uint64_t above = (word + kOnes) | word;
            if ((below | above) & (kOnes * 0x80)) break;
            if (static_cast<unsigned char>(p[at + 8]) >= 0x80) break;
        }
    }
    while (at < size) {
        const auto c = static_cast<unsigned char>(p[at]);
        if (c >= 0x80 || !plain_[c]) break;
        if (at + 1 < size && static_cast<unsigned char>(p[at + 1]) >= 0x80) break;
        ++at;
    }
    return at;
}

void Charsmap::find(std::string_view text, std::vector<Change>& changes) const {
    const auto look_up = [&](uint32_t begin, uint32_t end) {
        const auto to = replacement(text.substr(begin, end - begin));
        if (to) changes.push_back({{begin, end}, *to});
        return to.has_value();
    };
    const auto size = static_cast<uint32_t>(text.size());
    for (uint32_t at = skip_plain(text, 0); at < size; at = skip_plain(text, at)) {
        GraphemeCursor cursor(text, at);
        do {
            const uint32_t end = cursor.next();
            const bool whole = end - at < kLongCluster && look_up(at, end);
            const auto lead = static_cast<unsigned char>(text[at]);
            if (!whole && end - at > utf8_length(lead)) {
                for (uint32_t c = at; c < end;) {
                    const auto n =
                        static_cast<uint32_t>(utf8_length(static_cast<unsigned char>(text[c])));
                    look_up(c, c + n);
                    c += n;
                }
            }
            at = end;
        } while (at < size && static_cast<unsigned char>(text[at]) >= 0x80);
    }
}

}  // namespace edgeward
