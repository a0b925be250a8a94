// E-mail and IP addresses, accounts, keys: what is known by its letters.
#include <algorithm>
#include <array>

#include "safety/checksums.h"
#include "safety/pii_scan.h"

namespace edgeward::safety::pii {
namespace {

bool in_local(char c) {
    return wordlike(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}

// Endings of file names that stand where a domain's would (icon@2x.png, a@b.py).
bool is_file_ending(std::string_view ending) {
    static constexpr std::array<std::string_view, 14> kEndings = {
        "png", "jpg", "jpeg", "gif", "svg",  "webp", "js",
        "ts",  "css", "py",   "txt", "html", "json", "xml"};
    return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

}  // namespace

std::optional<Hit> email(std::string_view text, size_t i) {
    size_t begin = i;
    while (begin > 0 && i - begin < 64 && in_local(text[begin - 1])) --begin;
    // The limit, or a character of another script, may have cut a character in two.
    while (begin < i && (text[begin] & 0xC0) == 0x80) ++begin;
    while (begin < i && !wordlike(text[begin]) && text[begin] != '_') ++begin;
    if (begin == i || text[i - 1] == '.') return std::nullopt;
    size_t end = i + 1;
    size_t dot = 0;
    const size_t limit = std::min(text.size(), i + 254);
    while (end < limit && (wordlike(text[end]) || text[end] == '-' || text[end] == '.')) {
        if (text[end] == '.') {
            if (text[end - 1] == '.' || end == i + 1) break;
            if (!wordlike(at(text, end + 1))) break;
            dot = end;
        }
        ++end;
    }
    if (end == limit && end < text.size()) return std::nullopt;  // longer than any name is
    while (end > i && text[end - 1] == '-') --end;
    if (dot == 0 || end <= dot + 2) return std::nullopt;
    const std::string_view ending = text.substr(dot + 1, end - dot - 1);
    const bool letters = std::none_of(ending.begin(), ending.end(), digit);
    if (!letters || ending.size() > 24 || is_file_ending(ending)) return std::nullopt;
    return Hit{Pii::kEmail, begin, end};
}

std::optional<Hit> account(std::string_view text, size_t i) {
    // Two letters and two digits, then 11 to 30 letters and digits, perhaps in groups of four.
    if (!upper(at(text, i)) || !upper(at(text, i + 1)) || !digit(at(text, i + 2)) ||
        !digit(at(text, i + 3))) {
        return std::nullopt;
    }
    std::string plain;
    size_t end = i;
    while (plain.size() < 34 && end < text.size()) {
        if (upper(text[end]) || digit(text[end])) {
            plain.push_back(text[end++]);
        } else if (text[end] == ' ' && plain.size() % 4 == 0 && alnum(at(text, end + 1))) {
            ++end;
        } else {
            break;
        }
    }
    if (wordlike(at(text, end))) return std::nullopt;
    // Groups behind the account are no part of it: the longest that has the right sum.
    for (; plain.size() >= 15; plain.pop_back(), --end) {
        while (text[end - 1] == ' ') --end;
        if ((end == text.size() || !wordlike(text[end])) && iban_mod97(plain)) {
            return Hit{Pii::kIban, i, end};
        }
    }
    return std::nullopt;
}

namespace {

std::optional<Hit> ipv4(std::string_view text, size_t i) {
    size_t end = i;
    std::array<int, 4> octets{};
    for (size_t k = 0; k < 4; ++k) {
        if (k > 0 && at(text, end++) != '.') return std::nullopt;
        const size_t first = end;
        while (end - first < 4 && digit(at(text, end)))
            octets[k] = octets[k] * 10 + text[end++] - '0';
        const size_t size = end - first;
        if (size == 0 || octets[k] > 255 || (size > 1 && text[first] == '0')) return std::nullopt;
    }
    if (wordlike(at(text, end)) || (at(text, end) == '.' && digit(at(text, end + 1)))) {
        return std::nullopt;
    }
    if (i > 0 && (text[i - 1] == '.' || text[i - 1] == '-')) return std::nullopt;
    const int first = octets[0];
    if (first == 0 || first == 127 || first == 255) return std::nullopt;
    if (announced(text, i, "version|ver.|release|v.")) return std::nullopt;
    return Hit{Pii::kIp, i, end};
}

bool hex(char c) { return digit(c) || (static_cast<unsigned char>((c | 32) - 'a') < 6); }

std::optional<Hit> ipv6(std::string_view text, size_t i) {
    size_t end = i;
    size_t groups = 0;
    size_t digits = 0;
    bool gap = false;
    while (groups <= 8) {
        size_t size = 0;
        while (size < 5 && hex(at(text, end))) {
            digits += digit(text[end]);
            ++end;
            ++size;
        }
        if (size > 4) return std::nullopt;
        groups += size > 0;
        if (at(text, end) != ':') break;
        if (at(text, end + 1) == ':') {
            if (gap) return std::nullopt;
            gap = true;
            end += 2;
            if (!hex(at(text, end))) break;
        } else if (hex(at(text, end + 1))) {
            ++end;
        } else {
            break;
        }
    }
    if (wordlike(at(text, end)) || at(text, end) == ':') return std::nullopt;
    const bool whole = gap ? groups >= 3 && groups <= 7 : groups == 8;
    if (!whole || digits < 2) return std::nullopt;
    return Hit{Pii::kIp, i, end};
}

}  // namespace

std::optional<Hit> address(std::string_view text, size_t i) {
    if (digit(text[i])) {
        if (const auto found = ipv4(text, i)) return found;
    }
    return hex(text[i]) ? ipv6(text, i) : std::nullopt;
}

namespace {

enum class Alphabet { kUpper, kAlnum, kHex, kUrl };

struct KeyKind {
    std::string_view prefix;
    Alphabet alphabet;
    size_t least;  // characters behind the prefix
    size_t most;
};

constexpr std::array<KeyKind, 32> kKeys = {{
    {"AKIA", Alphabet::kUpper, 16, 16},      {"ASIA", Alphabet::kUpper, 16, 16},
    {"ghp_", Alphabet::kAlnum, 36, 36},      {"gho_", Alphabet::kAlnum, 36, 36},
    {"ghu_", Alphabet::kAlnum, 36, 36},      {"ghs_", Alphabet::kAlnum, 36, 36},
    {"ghr_", Alphabet::kAlnum, 36, 76},      {"github_pat_", Alphabet::kUrl, 36, 100},
    {"glpat-", Alphabet::kUrl, 20, 64},      {"sk-ant-", Alphabet::kUrl, 32, 200},
    {"sk-proj-", Alphabet::kUrl, 32, 200},   {"sk-", Alphabet::kAlnum, 20, 64},
    {"sk_live_", Alphabet::kAlnum, 16, 128}, {"sk_test_", Alphabet::kAlnum, 16, 128},
    {"rk_live_", Alphabet::kAlnum, 16, 128}, {"pk_live_", Alphabet::kAlnum, 16, 128},
    {"whsec_", Alphabet::kAlnum, 24, 64},    {"xoxb-", Alphabet::kUrl, 20, 128},
    {"xoxp-", Alphabet::kUrl, 20, 128},      {"xoxa-", Alphabet::kUrl, 20, 128},
    {"xoxs-", Alphabet::kUrl, 20, 128},      {"xapp-", Alphabet::kUrl, 20, 160},
    {"AIza", Alphabet::kUrl, 35, 35},        {"ya29.", Alphabet::kUrl, 20, 300},
    {"hf_", Alphabet::kAlnum, 30, 40},       {"npm_", Alphabet::kAlnum, 36, 36},
    {"pypi-AgE", Alphabet::kUrl, 50, 300},   {"dop_v1_", Alphabet::kHex, 64, 64},
    {"shpat_", Alphabet::kHex, 32, 32},      {"SG.", Alphabet::kUrl, 22, 22},
    {"r8_", Alphabet::kAlnum, 37, 37},       {"gsk_", Alphabet::kAlnum, 40, 64},
}};

bool in_alphabet(char c, Alphabet alphabet) {
    switch (alphabet) {
        case Alphabet::kUpper:
            return upper(c) || digit(c);
        case Alphabet::kAlnum:
            return alnum(c);
        case Alphabet::kHex:
            return hex(c);
        default:
            return alnum(c) || c == '_' || c == '-';
    }
}

size_t run(std::string_view text, size_t i, Alphabet alphabet, size_t most) {
    size_t end = i;
    while (end < text.size() && end - i < most && in_alphabet(text[end], alphabet)) ++end;
    return end;
}

// Three parts of base64 with dots between them; the first two are JSON objects.
std::optional<Hit> web_token(std::string_view text, size_t i) {
    constexpr size_t kMost = 4096;
    const size_t head = run(text, i, Alphabet::kUrl, kMost);
    if (head - i < 12 || at(text, head) != '.' || text.substr(head + 1, 2) != "ey") {
        return std::nullopt;
    }
    const size_t body = run(text, head + 1, Alphabet::kUrl, kMost);
    if (body - head < 12 || at(text, body) != '.') return std::nullopt;
    const size_t end = run(text, body + 1, Alphabet::kUrl, kMost);
    if (end - body < 12) return std::nullopt;
    return Hit{Pii::kKey, i, end};
}

}  // namespace

std::optional<Hit> key(std::string_view text, size_t i) {
    if (text.substr(i, 3) == "eyJ") return web_token(text, i);
    for (const KeyKind& kind : kKeys) {
        if (!text.substr(i).starts_with(kind.prefix)) continue;
        const size_t begin = i + kind.prefix.size();
        const size_t end = run(text, begin, kind.alphabet, kind.most + 1);
        if (end - begin < kind.least || end - begin > kind.most) continue;
        // A name in a program has no digits in it.
        const std::string_view body = text.substr(begin, end - begin);
        if (std::none_of(body.begin(), body.end(), digit)) continue;
        size_t last = end;
        if (kind.prefix == "SG." && at(text, end) == '.') {
            last = run(text, end + 1, Alphabet::kUrl, 64);
        }
        return Hit{Pii::kKey, i, last};
    }
    return std::nullopt;
}

std::optional<Hit> private_key(std::string_view text, size_t i, bool& no_end) {
    if (!text.substr(i).starts_with("-----BEGIN ")) return std::nullopt;
    const size_t name = i + 11;
    const size_t dashes = text.substr(name, 40).find("PRIVATE KEY");
    if (dashes == std::string_view::npos) return std::nullopt;
    const size_t end = no_end ? std::string_view::npos : text.find("-----END ", name);
    if (end == std::string_view::npos) {
        no_end = true;
        return Hit{Pii::kKey, i, text.size()};
    }
    const size_t line = text.find("-----", end + 9);
    const size_t last = line == std::string_view::npos || line - end > 64 ? end + 9 : line + 5;
    return Hit{Pii::kKey, i, last};
}

}  // namespace edgeward::safety::pii
