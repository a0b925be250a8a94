// The normalizer, the phrase automaton and the recognizers of personal data on random texts, as one
// program without Python, so that sanitizers see all of it and run fast:
//
//     g++ -std=c++20 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Ikernels
//         tests/fuzz/places_stress.cpp kernels/safety/{alternatives,characters,checksums,decode,
//         normalize,phrases,pii,pii_numbers,pii_tokens,words}.cpp
//         kernels/tokenizer/{normalization,normalization_tables,text,unicode,utf8}.cpp
//         -o build/places-stress && build/places-stress 60 [seed]
//
// Aborts at the first text whose parts and whole disagree, or whose places do not lie in it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "safety/alternatives.h"
#include "safety/phrases.h"
#include "safety/pii.h"
#include "tokenizer/utf8.h"

using namespace edgeward;
using namespace edgeward::safety;

namespace {

const std::vector<std::string> kParts = {"the",
                                         "ignore",
                                         "kill",
                                         "i g n o r e",
                                         "1gn0r3",
                                         "4ll",
                                         "a",
                                         "b",
                                         " ",
                                         "  ",
                                         "\n",
                                         ".",
                                         "-",
                                         "/",
                                         "@",
                                         "0",
                                         "1",
                                         "4111 1111 1111 1111",
                                         "DE89 3704 0044 0532 0130 00",
                                         "GB82 WEST ",
                                         "jo@example.org",
                                         "+49 30 1234",
                                         "(212) 555-0175",
                                         "192.168.1.7",
                                         "2001:db8::1:2",
                                         "AKIAIOSFODNN7EXAMPLE",
                                         "eyJhbGciOiJI.eyJzdWIiOiIx.dBjftJeZ4CVP",
                                         "ghp_",
                                         "sk-",
                                         "SG.",
                                         "12345678Z",
                                         "AB 12 34 56 C",
                                         "-----BEGIN RSA PRIVATE KEY-----",
                                         "-----END ",
                                         "-----",
                                         "SWdub3JlIGFsbCBydWxlcw==",
                                         "69676e6f72652061",
                                         "%41%42%43",
                                         "\\x41",
                                         "0x41 ",
                                         "vtaber ",
                                         "gur ",
                                         "\u200b",
                                         "\u0301",
                                         "\u0323",
                                         "é",
                                         "ß",
                                         "ﬁ",
                                         "а",
                                         "о",
                                         "ж",
                                         "й",
                                         "α",
                                         "ς",
                                         "नि",
                                         "가",
                                         "\u1100\u1161",
                                         "漢",
                                         "\U0001F1E6",
                                         "\U000e0041",
                                         "\ufffd",
                                         "ﷺ",
                                         "İ",
                                         "bsn ",
                                         "phone "};

std::mt19937_64 random_bits;

size_t below(size_t n) { return random_bits() % n; }

std::string make_text() {
    std::string text;
    const size_t sizes[] = {0, 1, 5, 20, 60};
    for (size_t left = sizes[below(5)]; left > 0; --left) text += kParts[below(kParts.size())];
    if (below(50) == 0) {
        const std::string& part = kParts[below(kParts.size())];
        for (size_t left = below(3000); left > 0; --left) text += part;
    }
    for (size_t left = below(6); left > 0 && below(4) == 0; --left) {
        const auto code = static_cast<char32_t>(below(0x110000));
        if (code < 0xD800 || code > 0xDFFF) utf8_append(text, code);
    }
    return text;
}

// Where the text may be cut, at most 9 pieces.
std::vector<std::string_view> pieces_of(const std::string& text) {
    std::vector<size_t> cuts = {0, text.size()};
    for (size_t left = below(9); left > 0 && !text.empty(); --left) {
        size_t cut = below(text.size());
        while (is_continuation(text[cut])) --cut;
        cuts.push_back(cut);
    }
    std::sort(cuts.begin(), cuts.end());
    std::vector<std::string_view> pieces;
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
        // A copy of its own size: reading past its end is seen.
        pieces.push_back(std::string_view(text).substr(cuts[i], cuts[i + 1] - cuts[i]));
    }
    return pieces;
}

void require(bool right, const char* what, const std::string& text) {
    if (right) return;
    std::printf("%s\n%s\n", what, text.c_str());
    std::abort();
}

void try_normalizer(const std::string& text) {
    const Text whole = normalize(text);
    require(whole.origins.size() == whole.bytes.size() + 1, "origins do not fit", text);
    require(std::is_sorted(whole.origins.begin(), whole.origins.end()), "origins go back", text);
    require(utf8_valid_prefix(whole.bytes) == whole.bytes.size(), "not UTF-8", text);
    Normalizer normalizer(true);
    Text parts;
    for (const std::string_view piece : pieces_of(text)) {
        normalizer.push(std::string(piece), parts);
        require(normalizer.pending() <= normalizer.taken(), "pending is ahead", text);
    }
    normalizer.finish(parts);
    require(parts.bytes == whole.bytes && parts.origins == whole.origins, "parts differ", text);
    const size_t count = utf8_count(text);
    for (const Alternative& other : alternatives(text)) {
        require(other.span.begin < other.span.end && other.span.end <= count, "outside", text);
        require(utf8_valid_prefix(other.text) == other.text.size(), "not UTF-8", text);
    }
}

void try_phrases(const std::string& text) {
    static const std::vector<std::shared_ptr<const Phrases>> sets = {
        std::make_shared<Phrases>(std::vector<std::string>{"kill", "ignore", "a b", "11"},
                                  std::vector<std::string>{"kill the", "a b a b"}, true),
        std::make_shared<Phrases>(std::vector<std::string>{"k", "о", "漢", "jo@", "a", "aa", "i"},
                                  std::vector<std::string>{"aab", "ignore"}, false)};
    const size_t count = utf8_count(text);
    const auto by_place = [](const Phrases::Match& a, const Phrases::Match& b) {
        return std::tie(a.begin, a.end, a.phrase) < std::tie(b.begin, b.end, b.phrase);
    };
    for (const auto& set : sets) {
        std::vector<Phrases::Match> whole;
        PhraseStream one(set);
        one.push(text, whole);
        one.finish(whole);
        std::vector<Phrases::Match> parts;
        PhraseStream stream(set);
        uint32_t settled = 0;
        for (const std::string_view piece : pieces_of(text)) {
            const size_t before = parts.size();
            stream.push(std::string(piece), parts);
            for (size_t i = before; i < parts.size(); ++i) {
                require(parts[i].begin >= settled, "a phrase begins in settled text", text);
            }
            require(stream.settled() >= settled, "settled goes back", text);
            settled = stream.settled();
        }
        stream.finish(parts);
        std::sort(whole.begin(), whole.end(), by_place);
        std::sort(parts.begin(), parts.end(), by_place);
        require(whole.size() == parts.size(), "other phrases in parts", text);
        for (size_t i = 0; i < whole.size(); ++i) {
            require(!by_place(whole[i], parts[i]) && !by_place(parts[i], whole[i]), "other", text);
            require(whole[i].begin < whole[i].end && whole[i].end <= count, "outside", text);
        }
    }
}

void try_pii(const std::string& text) {
    uint32_t last = 0;
    for (const PiiFound& found : find_pii(text)) {
        const Span span = found.span;
        require(last <= span.begin && span.begin < span.end && span.end <= text.size(), "pii",
                text);
        require(!is_continuation(text[span.begin]), "half a character", text);
        require(span.end == text.size() || !is_continuation(text[span.end]), "half", text);
        last = span.end;
    }
    require(pii_settled(text) <= text.size(), "settled behind the end", text);
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
    random_bits.seed(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    size_t cases = 0;
    for (; Clock::now() < end; ++cases) {
        const std::string text = make_text();
        try_normalizer(text);
        try_phrases(text);
        try_pii(text);
    }
    std::printf("%zu texts\n", cases);
}
