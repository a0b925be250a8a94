#include "safety/pii.h"

#include <algorithm>

#include "safety/pii_scan.h"
#include "tokenizer/utf8.h"

namespace edgeward::safety {

using namespace pii;

const char* name_of(Pii kind) {
    static constexpr const char* kNames[kPiiKinds] = {"email",
                                                      "phone",
                                                      "iban",
                                                      "card",
                                                      "ip",
                                                      "key",
                                                      "us_ssn",
                                                      "de_tax_id",
                                                      "es_dni",
                                                      "fr_nir",
                                                      "it_codice_fiscale",
                                                      "nl_bsn",
                                                      "pl_pesel",
                                                      "se_personnummer",
                                                      "br_cpf",
                                                      "in_aadhaar",
                                                      "gb_nino"};
    return kNames[static_cast<size_t>(kind)];
}

bool pii::announced(std::string_view text, size_t i, std::string_view words) {
    constexpr size_t kBefore = 40;
    const size_t first = i < kBefore ? 0 : i - kBefore;
    std::string before(text.substr(first, i - first));
    // Words of the sentence before announce nothing.
    if (const size_t stop = before.find_last_of("\n!?;"); stop != std::string::npos) {
        before.erase(0, stop + 1);
    }
    for (char& c : before) c = upper(c) ? static_cast<char>(c | 32) : c;
    while (!words.empty()) {
        const size_t bar = std::min(words.find('|'), words.size());
        const std::string_view word = words.substr(0, bar);
        for (size_t at = before.find(word); at != std::string::npos;
             at = before.find(word, at + 1)) {
            if (at == 0 || !wordlike(before[at - 1])) return true;
        }
        words.remove_prefix(std::min(bar + 1, words.size()));
    }
    return false;
}

namespace {

std::optional<Hit> look(std::string_view text, size_t i, bool& no_end) {
    const char c = text[i];
    if (c == '@') return email(text, i);
    if (c == '-') return private_key(text, i, no_end);
    const bool starts = !word_before(text, i);
    if (!starts) return std::nullopt;
    if (digit(c) || c == '+' || c == '(') {
        const char before = i > 0 ? text[i - 1] : ' ';
        if (digit(c) && (before == '+' || before == '_')) return std::nullopt;
        if (digit(c)) {
            if (const auto found = address(text, i)) return found;
            if (const auto found = national(text, i)) return found;
        }
        // Digits behind a point or a slash are the rest of another number.
        if (before == '.' || before == '/' || before == '-') return std::nullopt;
        return numbers(text, i);
    }
    if (!letter(c)) return std::nullopt;
    if (const auto found = key(text, i)) return found;
    if (const auto found = account(text, i)) return found;
    if (const auto found = national(text, i)) return found;
    return address(text, i);
}

bool joins(char c) {
    static constexpr std::string_view kSigns = "@._%+-:/()=";
    return alnum(c) || kSigns.find(c) != std::string_view::npos;
}

}  // namespace

std::vector<PiiFound> find_pii(std::string_view text) {
    std::vector<PiiFound> found;
    bool no_end = false;
    for (size_t i = 0; i < text.size();) {
        const auto hit = look(text, i, no_end);
        if (!hit) {
            ++i;
            continue;
        }
        const auto begin = static_cast<uint32_t>(hit->begin);
        // An address that reaches back over something found takes its place.
        while (!found.empty() && found.back().span.end > begin) found.pop_back();
        found.push_back({{begin, static_cast<uint32_t>(hit->end)}, hit->kind});
        i = std::max(hit->end, i + 1);
    }
    return found;
}

size_t pii_settled(std::string_view text) {
    // A private key that has begun and not ended.
    size_t open = text.rfind("-----BEGIN ");
    if (open != std::string_view::npos) {
        const size_t end = text.find("-----END ", open);
        const bool closed =
            end != std::string_view::npos && text.find("-----", end + 9) != std::string_view::npos;
        if (closed) open = std::string_view::npos;
    }
    const size_t limit = text.size() < kPiiReach ? 0 : text.size() - kPiiReach;
    size_t i = text.size();
    // The word that is being written, then words before it as long as they have digits, or are
    // groups of capitals as accounts have.
    bool last = true;
    while (i > limit) {
        size_t begin = i;
        size_t digits = 0;
        size_t small = 0;
        while (begin > limit &&
               (joins(text[begin - 1]) || static_cast<unsigned char>(text[begin - 1]) >= 0x80)) {
            const char c = text[--begin];
            digits += digit(c);
            small += !digit(c) && !upper(c);
        }
        const bool group = i > begin && i - begin <= 4 && small == 0;
        if (!last && digits == 0 && !group) break;
        last = false;
        i = begin;
        if (i == limit || text[i - 1] != ' ') break;
        --i;
    }
    while (i < text.size() && is_continuation(text[i])) ++i;
    return std::min(i, open);
}

}  // namespace edgeward::safety
