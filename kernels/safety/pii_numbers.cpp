// Phone, card and national numbers: what is known by its digits.
#include <algorithm>
#include <array>
#include <vector>

#include "safety/checksums.h"
#include "safety/pii_scan.h"

namespace edgeward::safety::pii {
namespace {

constexpr size_t kMostDigits = 19;

// A number as it is written: its digits, the sizes of its groups, what stands between them.
struct Written {
    std::string digits;
    std::vector<size_t> groups;
    std::string separators;
    size_t end = 0;
    bool plus = false;
    bool brackets = false;
    bool closed = false;

    bool is(std::initializer_list<size_t> sizes, char separator) const {
        return std::equal(groups.begin(), groups.end(), sizes.begin(), sizes.end()) &&
               separators.find_first_not_of(separator) == std::string::npos;
    }
};

// Digits with single separators between groups, from `i` on.
Written read(std::string_view text, size_t i) {
    Written w;
    size_t j = i;
    if (at(text, j) == '+') {
        w.plus = true;
        ++j;
    }
    if (at(text, j) == '(') {
        w.brackets = true;
        ++j;
    }
    while (w.digits.size() <= kMostDigits) {
        const size_t first = j;
        while (digit(at(text, j)) && w.digits.size() <= kMostDigits) w.digits.push_back(text[j++]);
        if (j == first) break;
        w.groups.push_back(j - first);
        w.end = j;
        char c = at(text, j);
        if (c == ')' && w.brackets) {
            w.closed = digit(at(text, j + 1)) || (at(text, j + 1) == ' ' && digit(at(text, j + 2)));
            c = at(text, ++j);
            if (digit(c)) {
                w.separators.push_back(')');
                continue;
            }
        } else if (c == ' ' && at(text, j + 1) == '(' && digit(at(text, j + 2)) && w.plus) {
            w.brackets = true;
            w.separators.push_back(' ');
            j += 2;
            continue;
        }
        if (c != ' ' && c != '-' && c != '.' && c != '/') break;
        if (!digit(at(text, j + 1))) break;
        w.separators.push_back(c);
        ++j;
    }
    return w;
}

// Keeps the first `groups` groups.
Written first_groups(const Written& all, size_t i, std::string_view text, size_t groups) {
    Written w = all;
    w.groups.resize(groups);
    size_t digits = 0;
    for (const size_t size : w.groups) digits += size;
    w.digits.resize(digits);
    w.separators.resize(std::min(w.separators.size(), groups - 1));
    size_t seen = 0;
    w.end = i;
    while (seen < digits) seen += digit(text[w.end++]);
    return w;
}

bool is_card(const Written& w) {
    const std::string& d = w.digits;
    if (d.size() < 13 || w.plus || w.brackets) return false;
    if (w.separators.find_first_not_of(w.separators.empty() ? ' ' : w.separators[0]) !=
        std::string::npos) {
        return false;
    }
    if (!w.separators.empty() && w.separators[0] != ' ' && w.separators[0] != '-') return false;
    // Groups as they are printed: fours, or 4-6-5 and 4-6-4.
    for (size_t i = 0; i + 1 < w.groups.size(); ++i) {
        if (w.groups[i] != 4 && !(i == 1 && w.groups[i] == 6)) return false;
    }
    const int two = (d[0] - '0') * 10 + d[1] - '0';
    const int four = two * 100 + (d[2] - '0') * 10 + d[3] - '0';
    bool known = false;
    switch (d.size()) {
        case 14:
            known = two == 36 || two == 38 || two == 39 || (four >= 3000 && four <= 3059);
            break;
        case 15:
            known = two == 34 || two == 37;
            break;
        case 13:
        case 19:
            known = d[0] == '4' || (d.size() == 19 && (two == 62 || two == 60));
            break;
        case 16:
            known = d[0] == '4' || (two >= 51 && two <= 55) || (four >= 2221 && four <= 2720) ||
                    four == 6011 || two == 65 || two == 62 || two == 35 ||
                    (four >= 6440 && four <= 6499) || (four >= 5018 && four <= 5038);
            break;
        default:
            break;
    }
    return known && luhn(d);
}

bool is_phone(const Written& w, std::string_view text, size_t i) {
    const size_t n = w.digits.size();
    const bool abroad = w.plus || (w.digits.starts_with("00") && w.groups.size() > 1);
    if (abroad) return n >= 8 && n <= 15 && w.digits[w.plus ? 0 : 2] != '0';
    if (w.separators.empty()) {
        return n >= 9 && n <= 12 &&
               announced(text, i,
                         "phone|tel|call|mobile|cell|fax|whatsapp|sms|handy|número|numéro");
    }
    const auto& g = w.groups;
    // North America: area and exchange begin with 2 to 9.
    const bool american = n == 10 && w.digits[0] >= '2' && w.digits[3] >= '2';
    if (american && (w.brackets || w.is({3, 3, 4}, '-') || w.is({3, 3, 4}, '.'))) {
        return g.size() <= 3 && g[0] == 3;
    }
    if (american && w.is({3, 3, 4}, ' ')) return true;
    if (n == 11 && w.digits[0] == '1' && (w.is({1, 3, 3, 4}, '-') || w.is({1, 3, 3, 4}, '.'))) {
        return w.digits[1] >= '2';
    }
    if (w.is({3, 2, 4}, '-')) return false;  // written as a social security number
    if (w.digits[0] != '0' || n < 9 || n > 12 || (w.digits[1] == '0')) return false;
    // Elsewhere a number within the country begins with 0.
    for (const char separator : {' ', '.', '-'}) {
        if (w.is({2, 2, 2, 2, 2}, separator)) return true;
    }
    if (w.separators.find('.') != std::string::npos) return false;
    if (w.separators.find_first_of('/', 1) != std::string::npos) return false;
    if (g[0] < 3 || g[0] > 5) return false;
    if (g.size() == 2) return g[1] >= 5;
    return g.size() <= 4 && std::all_of(g.begin() + 1, g.end(), [](size_t s) { return s >= 2; });
}

std::optional<Pii> national_number(const Written& w, std::string_view text, size_t i) {
    const std::string& d = w.digits;
    if (w.plus || w.brackets) return std::nullopt;
    const bool plain = w.separators.empty();
    switch (d.size()) {
        case 9:
            if (w.is({3, 2, 4}, '-') && us_ssn(d)) return Pii::kUsSsn;
            if ((plain || w.is({3, 2, 4}, ' ')) && us_ssn(d) &&
                announced(text, i, "ssn|social security")) {
                return Pii::kUsSsn;
            }
            if (bsn(d) && announced(text, i, "bsn|burgerservice|sofi")) return Pii::kNlBsn;
            break;
        case 10:
        case 12: {
            const std::string_view ten = std::string_view(d).substr(d.size() - 10);
            const bool century = d.size() == 10 || d.starts_with("19") || d.starts_with("20");
            const bool written = w.is({6, 4}, '-') || w.is({8, 4}, '-');
            if (century && (written || (plain && announced(text, i, "personnummer|personnr"))) &&
                personnummer(ten)) {
                return Pii::kSePersonnummer;
            }
            if (d.size() == 12 && d[0] >= '2' && verhoeff(d) &&
                (w.is({4, 4, 4}, ' ') || w.is({4, 4, 4}, '-') ||
                 announced(text, i, "aadhaar|aadhar|uidai|आधार"))) {
                return Pii::kInAadhaar;
            }
            break;
        }
        case 11:
            if (w.groups == std::vector<size_t>{3, 3, 3, 2} && w.separators == "..-" && cpf(d)) {
                return Pii::kBrCpf;
            }
            if (plain && cpf(d) && announced(text, i, "cpf")) return Pii::kBrCpf;
            if (steuer_id(d) &&
                (w.is({2, 3, 3, 3}, ' ') || announced(text, i, "steuer|tin|idnr|tax id"))) {
                return Pii::kDeTaxId;
            }
            if (plain && pesel(d) && announced(text, i, "pesel")) return Pii::kPlPesel;
            break;
        case 15:
            if ((plain || w.is({1, 2, 2, 2, 3, 3, 2}, ' ')) && nir(d)) return Pii::kFrNir;
            break;
        default:
            break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Hit> numbers(std::string_view text, size_t i) {
    const Written all = read(text, i);
    if (all.groups.empty() || wordlike(at(text, all.end))) return std::nullopt;
    // A number in brackets is not one with brackets.
    if (text[i] == '(' && !all.closed) return std::nullopt;
    // Other numbers may stand behind: the longest beginning that is something.
    for (size_t groups = all.groups.size(); groups > 0; --groups) {
        const Written w = groups == all.groups.size() ? all : first_groups(all, i, text, groups);
        if (w.digits.size() < 8 || w.digits.size() > kMostDigits) continue;
        // What is cut off must not belong to it: after a space, not after a point or dash.
        if (groups < all.groups.size() && all.separators[groups - 1] != ' ') continue;
        if (is_card(w)) return Hit{Pii::kCard, i, w.end};
        if (const auto kind = national_number(w, text, i)) return Hit{*kind, i, w.end};
        if (is_phone(w, text, i)) return Hit{Pii::kPhone, i, w.end};
    }
    return std::nullopt;
}

namespace {

// The next `count` letters and digits in upper case, single spaces skipped if `spaced`.
std::string taken(std::string_view text, size_t i, size_t count, bool spaced, size_t& end) {
    std::string plain;
    end = i;
    while (plain.size() < count && end < text.size()) {
        const char c = text[end];
        if (alnum(c)) {
            plain.push_back(letter(c) ? static_cast<char>(c & ~32) : c);
        } else if (!(spaced && c == ' ' && end > i && text[end - 1] != ' ')) {
            break;
        }
        ++end;
    }
    return plain;
}

// True if `text` has letters where the pattern has 'A' and digits where it has '9'.
bool shaped(std::string_view text, std::string_view pattern) {
    return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(),
                      [](char c, char p) { return p == 'A' ? letter(c) : digit(c); });
}

bool is_nino(std::string_view n) {
    constexpr std::string_view kNever = "DFIQUV";
    if (!shaped(n, "AA999999A") || n[8] > 'D' || n[1] == 'O') return false;
    if (kNever.find(n[0]) != std::string_view::npos) return false;
    if (kNever.find(n[1]) != std::string_view::npos) return false;
    constexpr std::array<std::string_view, 7> kNotGiven = {"BG", "GB", "KN", "NK",
                                                           "NT", "TN", "ZZ"};
    return std::find(kNotGiven.begin(), kNotGiven.end(), n.substr(0, 2)) == kNotGiven.end();
}

}  // namespace

std::optional<Hit> national(std::string_view text, size_t i) {
    size_t end = 0;
    const std::string nine = taken(text, i, 9, false, end);
    if (nine.size() == 9 && !wordlike(at(text, end))) {
        const bool alien = nine[0] >= 'X' && nine[0] <= 'Z';
        if ((shaped(nine, "99999999A") || (alien && shaped(nine, "A9999999A"))) && dni(nine)) {
            return Hit{Pii::kEsDni, i, end};
        }
        if (is_nino(nine)) return Hit{Pii::kGbNino, i, end};
    }
    if (letter(text[i])) {
        const std::string spaced = taken(text, i, 9, true, end);
        if (spaced.size() == 9 && !wordlike(at(text, end)) && upper(text[i]) && is_nino(spaced)) {
            return Hit{Pii::kGbNino, i, end};
        }
        const std::string sixteen = taken(text, i, 16, false, end);
        if (sixteen.size() == 16 && !wordlike(at(text, end)) &&
            shaped(sixteen, "AAAAAA99A99A999A") && codice_fiscale(sixteen)) {
            return Hit{Pii::kItCodiceFiscale, i, end};
        }
    }
    // 12345678-Z
    if (digit(text[i])) {
        const std::string eight = taken(text, i, 8, false, end);
        if (shaped(eight, "99999999") && at(text, end) == '-' && upper(at(text, end + 1)) &&
            !wordlike(at(text, end + 2)) && dni(eight + text[end + 1])) {
            return Hit{Pii::kEsDni, i, end + 2};
        }
    }
    return std::nullopt;
}

}  // namespace edgeward::safety::pii
