#include "tokenizer/utf8.h"

#include <cstring>

namespace edgeward {
namespace {

// What stands at `s`: a character of `length` bytes, or an ill-formed part of `length` bytes.
struct Step {
    bool valid;
    size_t length;
};

Step step(const unsigned char* s, size_t left) {
    const unsigned char lead = s[0];
    if (lead < 0x80) return {true, 1};
    // The second byte's range shuts out overlong forms, surrogates and values above U+10FFFF.
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length = 0;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    } else {
        return {false, 1};
    }
    for (size_t i = 1; i < length; ++i) {
        if (i >= left || s[i] < low || s[i] > high) return {false, i};
        low = 0x80;
        high = 0xBF;
    }
    return {true, length};
}

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void utf8_append(std::string& out, char32_t code) {
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (code >> 6)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (code >> 12)));
        out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else {
        out.push_back(static_cast<char>(0xF0 | (code >> 18)));
        out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
}

// Eight bytes at a time.
size_t utf8_ascii_prefix(std::string_view bytes) {
    size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        uint64_t word;
        std::memcpy(&word, bytes.data() + i, 8);
        if (word & 0x8080808080808080u) break;
    }
    while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80) ++i;
    return i;
}

size_t utf8_valid_prefix(std::string_view bytes) {
    size_t i = 0;
    while (i < bytes.size()) {
        if (static_cast<unsigned char>(bytes[i]) < 0x80) {
            i += utf8_ascii_prefix(bytes.substr(i));
            continue;
        }
        const Step at = step(as_bytes(bytes) + i, bytes.size() - i);
        if (!at.valid) break;
        i += at.length;
    }
    return i;
}

std::string utf8_lossy(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const size_t good = utf8_valid_prefix(bytes);
        out.append(bytes.substr(0, good));
        bytes.remove_prefix(good);
        if (bytes.empty()) break;
        utf8_append(out, kReplacement);
        bytes.remove_prefix(step(as_bytes(bytes), bytes.size()).length);
    }
    return out;
}

}  // namespace edgeward
