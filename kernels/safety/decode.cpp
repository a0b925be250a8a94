#include "safety/decode.h"

#include <algorithm>
#include <array>

#include "tokenizer/utf8.h"

namespace edgeward::safety {
namespace {

constexpr uint8_t kNoDigit = 0xFF;

constexpr std::array<uint8_t, 256> make_base64() {
    std::array<uint8_t, 256> value{};
    value.fill(kNoDigit);
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < kDigits.size(); ++i) {
        value[static_cast<unsigned char>(kDigits[i])] = static_cast<uint8_t>(i);
    }
    value['-'] = 62;  // the alphabet for URLs
    value['_'] = 63;
    return value;
}
constexpr auto kBase64 = make_base64();

uint8_t base64_digit(char c) { return kBase64[static_cast<unsigned char>(c)]; }

uint8_t hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    const char lower = static_cast<char>(c | 32);
    return lower >= 'a' && lower <= 'f' ? static_cast<uint8_t>(lower - 'a' + 10) : kNoDigit;
}

bool is_letter(char c) { return static_cast<unsigned char>((c | 32) - 'a') < 26; }

// Cuts a character in two at the ends off; true if the rest is text that someone could read.
bool readable(std::string& bytes) {
    size_t cut = 0;
    while (cut < std::min<size_t>(bytes.size(), 3) && is_continuation(bytes[cut])) ++cut;
    bytes.erase(0, cut);
    const size_t valid = utf8_valid_prefix(bytes);
    if (bytes.size() - valid > 3) return false;
    bytes.resize(valid);
    size_t good = 0;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F) {
            return false;
        }
        good += is_letter(c) || (c >= '0' && c <= '9') || byte == ' ' || byte >= 0x80;
    }
    return bytes.size() >= 8 && good * 10 >= bytes.size() * 7;
}

std::string from_base64(std::string_view digits) {
    std::string out;
    out.reserve(digits.size() / 4 * 3 + 3);
    uint32_t bits = 0;
    int held = 0;
    for (const char c : digits) {
        const uint8_t value = base64_digit(c);
        if (value == kNoDigit) continue;  // a line break
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<char>(bits >> held & 0xFF));
        }
    }
    return out;
}

// Digits from `at` on; full lines of them are taken together.
size_t base64_end(std::string_view text, size_t at) {
    size_t line = at;
    size_t i = at;
    for (;;) {
        while (i < text.size() && base64_digit(text[i]) != kNoDigit) ++i;
        size_t next = i;
        if (next < text.size() && text[next] == '\r') ++next;
        const bool full = i - line >= 60 && (i - line) % 4 == 0;
        if (!full || next >= text.size() || text[next] != '\n') return i;
        if (next + 1 >= text.size() || base64_digit(text[next + 1]) == kNoDigit) return i;
        i = line = next + 1;
    }
}

void find_base64(std::string_view text, std::vector<DecodedPiece>& found) {
    for (size_t at = 0; at < text.size();) {
        if (base64_digit(text[at]) == kNoDigit) {
            ++at;
            continue;
        }
        const size_t end = base64_end(text, at);
        // Letters glued to the front shift the groups of four.
        for (size_t shift = 0; shift < 4 && end - at >= kEncodedLeast + shift; ++shift) {
            std::string bytes = from_base64(text.substr(at + shift, end - at - shift));
            if (!readable(bytes)) continue;
            found.push_back({Encoding::kBase64,
                             {static_cast<uint32_t>(at + shift), static_cast<uint32_t>(end)},
                             std::move(bytes)});
            break;
        }
        at = end;
    }
}

// The two digits at `i`, behind "\x" or "0x" if `marked`; -1 if they are not there.
int hex_byte(std::string_view text, size_t i, bool marked) {
    if (marked) {
        if (i + 4 > text.size() || (text[i + 1] | 32) != 'x') return -1;
        if (text[i] != '\\' && text[i] != '0') return -1;
        i += 2;
    }
    if (i + 2 > text.size()) return -1;
    const uint8_t high = hex_digit(text[i]);
    const uint8_t low = hex_digit(text[i + 1]);
    return high == kNoDigit || low == kNoDigit ? -1 : high << 4 | low;
}

void find_hex(std::string_view text, std::vector<DecodedPiece>& found) {
    for (size_t at = 0; at < text.size();) {
        const bool marked = at + 1 < text.size() && (text[at + 1] | 32) == 'x' &&
                            (text[at] == '\\' || text[at] == '0');
        const size_t width = marked ? 4 : 2;
        if (hex_byte(text, at, marked) < 0) {
            ++at;
            continue;
        }
        // One separator, or none, the same behind every pair.
        const char next = at + width < text.size() ? text[at + width] : '\0';
        const bool separated = next == ' ' || next == ':' || next == '-' || next == ',';
        const size_t step = width + separated;
        std::string bytes;
        size_t end = at;
        for (size_t i = at;; i += step) {
            const int byte = hex_byte(text, i, marked);
            if (byte < 0) break;
            bytes.push_back(static_cast<char>(byte));
            end = i + width;
            if (separated && (end >= text.size() || text[end] != next)) break;
        }
        if (marked && bytes.size() == 1) {
            at += 2;  // one prefix before all digits
            continue;
        }
        const size_t digits = bytes.size() * 2;
        if (digits >= kEncodedLeast && readable(bytes)) {
            found.push_back({Encoding::kHex,
                             {static_cast<uint32_t>(at), static_cast<uint32_t>(end)},
                             std::move(bytes)});
        }
        at = end;
    }
}

// A piece without white space in which at least three characters are written %XX.
void find_percent(std::string_view text, std::vector<DecodedPiece>& found) {
    size_t begin = 0;
    size_t signs = 0;
    const auto take = [&](size_t end) {
        if (signs < 3) return;
        std::string bytes;
        for (size_t i = begin; i < end; ++i) {
            const int byte = text[i] == '%' ? hex_byte(text.substr(0, end), i + 1, false) : -1;
            bytes.push_back(byte >= 0 ? static_cast<char>(byte) : text[i] == '+' ? ' ' : text[i]);
            if (byte >= 0) i += 2;
        }
        if (!readable(bytes)) return;
        found.push_back({Encoding::kPercent,
                         {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)},
                         std::move(bytes)});
    };
    for (size_t i = text.find('%'); i < text.size(); ++i) {
        if (static_cast<unsigned char>(text[i]) <= ' ') {
            take(i);
            begin = i + 1;
            signs = 0;
        } else if (text[i] == '%' && hex_byte(text, i + 1, false) >= 0) {
            if (signs++ == 0) {
                // The piece began before its first sign, which may be where the search started.
                const size_t space = text.find_last_of(" \t\r\n", i);
                begin = std::max(begin, space == std::string_view::npos ? 0 : space + 1);
            }
        }
    }
    take(text.size());
}

char rot13(char c) {
    if (!is_letter(c)) return c;
    const char first = static_cast<char>(c & 32 ? 'a' : 'A');
    return static_cast<char>(first + (c - first + 13) % 26);
}

// Common words and words of requests, written in rot13; none of them is a word of a language that
// uses these letters.
constexpr std::array<std::string_view, 30> kRot13Words = {
    "gur",    "naq",       "lbh",    "nyy",    "lbhe",   "gung",         "guvf",   "jvgu",
    "sbe",    "abg",       "ner",    "jung",   "vtaber", "cerivbhf",     "cebzcg", "flfgrz",
    "ehyrf",  "gryy",      "jevgr",  "ubj",    "znxr",   "erirny",       "bhgchg", "jvyy",
    "cyrnfr", "qvfertneq", "sbyybj", "nafjre", "frperg", "vafgehpgvbaf",
};

bool is_rot13_word(std::string_view word) {
    return std::any_of(kRot13Words.begin(), kRot13Words.end(), [&](std::string_view known) {
        return known.size() == word.size() &&
               std::equal(word.begin(), word.end(), known.begin(),
                          [](char a, char b) { return (a | 32) == b; });
    });
}

// First letters of those words.
constexpr uint32_t make_rot13_starts() {
    uint32_t starts = 0;
    for (const std::string_view word : kRot13Words) starts |= 1u << (word[0] - 'a');
    return starts;
}

void find_rot13(std::string_view text, std::vector<DecodedPiece>& found) {
    constexpr uint32_t kStarts = make_rot13_starts();
    size_t words = 0;
    for (size_t at = 0; at < text.size() && words < 2;) {
        size_t end = at;
        while (end < text.size() && is_letter(text[end])) ++end;
        const size_t size = end - at;
        if (size >= 3 && size <= 12 && (kStarts >> ((text[at] | 32) - 'a') & 1)) {
            words += is_rot13_word(text.substr(at, size));
        }
        at = end + 1;
    }
    if (words < 2) return;
    std::string plain(text);
    std::transform(plain.begin(), plain.end(), plain.begin(), rot13);
    found.push_back({Encoding::kRot13, {0, static_cast<uint32_t>(text.size())}, std::move(plain)});
}

// U+E0020 ... U+E007E are ASCII that shows nothing. Eight are more than any flag is spelt with.
void find_tags(std::string_view text, std::vector<DecodedPiece>& found) {
    std::string hidden;
    size_t begin = text.size();
    size_t end = 0;
    for (size_t i = text.find("\xF3\xA0"); i < text.size(); i = text.find("\xF3\xA0", i + 1)) {
        const char32_t code = utf8_decode(text.data() + i).code;
        if (code < 0xE0020 || code > 0xE007E) continue;
        hidden.push_back(static_cast<char>(code - 0xE0000));
        begin = std::min(begin, i);
        end = i + 4;
    }
    if (hidden.size() < 8) return;
    found.push_back({Encoding::kTags,
                     {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)},
                     std::move(hidden)});
}

}  // namespace

const char* name_of(Encoding encoding) {
    switch (encoding) {
        case Encoding::kBase64:
            return "base64";
        case Encoding::kHex:
            return "hex";
        case Encoding::kPercent:
            return "percent";
        case Encoding::kRot13:
            return "rot13";
        default:
            return "tags";
    }
}

std::vector<DecodedPiece> decode(std::string_view text) {
    std::vector<DecodedPiece> found;
    find_base64(text, found);
    find_hex(text, found);
    find_percent(text, found);
    find_rot13(text, found);
    find_tags(text, found);
    return found;
}

}  // namespace edgeward::safety
