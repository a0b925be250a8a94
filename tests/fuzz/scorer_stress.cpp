// The safety scorers on random texts and damaged files, as one program without Python, so that
// sanitizers see all of it and run fast:
//
//     g++ -std=c++20 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Ikernels
//         -ffp-contract=off tests/fuzz/scorer_stress.cpp
//         kernels/safety/{cutter,dense,dense_avx2,dense_avx512,encoder_state,model,scorer}.cpp
//         kernels/tokenizer/utf8.cpp -o build/scorer-stress && build/scorer-stress 60 [seed]
//
// Aborts where a text in pieces and the whole of it give other bits, or a score is no probability.
// The instruction-set files need their flags (setup.py has them); without, they build as generic.
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "safety/scorer.h"
#include "tokenizer/utf8.h"

using namespace edgeward;
using namespace edgeward::safety;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t end) { return random() % end; }

class Writer {
 public:
    template <typename T>
    void put(T value) {
        const auto* bytes = reinterpret_cast<const char*>(&value);
        out.append(bytes, sizeof value);
    }
    void noise(Random& random, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<char>(random()));
    }
    void reals(Random& random, std::size_t count, float most) {
        std::uniform_real_distribution<float> value(-most, most);
        for (std::size_t i = 0; i < count; ++i) put(value(random));
    }
    void matrix(Random& random, std::size_t inputs, std::size_t outputs) {
        reals(random, outputs, 0.02f);
        noise(random, inputs * outputs);
        reals(random, outputs, 0.5f);
    }
    std::string out;
};

// A model of either version with random weights; the encoder's words are those of kParts by chance.
std::string file(Random& random) {
    Writer w;
    const std::uint32_t version = 1 + static_cast<std::uint32_t>(below(random, 2));
    const std::uint32_t heads = 1 + static_cast<std::uint32_t>(below(random, 3));
    w.out = "EWSAFETY";
    w.put(version);
    w.put(heads);
    for (std::uint32_t h = 0; h < heads; ++h) {
        w.put(std::uint32_t{1});
        w.out.push_back(static_cast<char>('a' + h));
        w.reals(random, version == 1 ? 4 : 7, 1.5f);
        for (int i = 0; i < 6; ++i) w.put(0.25f);
    }
    constexpr std::uint32_t kBuckets = 512;
    w.put(kBuckets);
    for (std::uint32_t h = 0; h < heads; ++h) {
        w.put(0.05f);
        w.put(0.1f);
    }
    w.noise(random, kBuckets * heads);
    const std::uint32_t words = below(random, 4) == 0 ? 0 : 40;
    w.put(words);
    if (words == 0) return w.out;
    const auto width = static_cast<std::uint32_t>(4 + below(random, 20));
    const auto channels = static_cast<std::uint32_t>(16 * (1 + below(random, 3)));
    constexpr std::uint32_t kPieces = 256, kHidden = 16;
    for (const std::uint32_t n : {kPieces, width, channels, kHidden}) w.put(n);
    w.put(static_cast<std::uint32_t>(8 + 2 * below(random, 9)));
    for (std::uint32_t i = 0; i < words; ++i) w.put(0x05000000u * i + 77u);
    w.put(0.02f);
    w.noise(random, (words + kPieces) * width);
    w.matrix(random, 3 * width, channels);
    w.matrix(random, 3 * channels, channels);
    w.matrix(random, 2 * channels, kHidden);
    w.matrix(random, kHidden, heads);
    return w.out;
}

const std::vector<std::string> kParts = {"the",    "ignore",
                                         "YOU",    "aaaa",
                                         "\u200b", "0",
                                         "'",      "\u2019",
                                         "?!",     " ",
                                         "  ",     "\n",
                                         "é",      "e\u0301",
                                         "你",     "ก",
                                         "👍🏽",   "\U0010FFFF",
                                         "ß",      "İ",
                                         "word ",  "wordwordwordwordwordword",
                                         "!!!!!!", "\u0301",
                                         "don't "};

std::string text(Random& random) {
    std::string made;
    const std::size_t parts = below(random, 8) == 0 ? below(random, 900) : below(random, 60);
    for (std::size_t i = 0; i < parts; ++i) made += kParts[below(random, kParts.size())];
    return made;
}

[[noreturn]] void fail(const char* what, const std::string& of) {
    std::fprintf(stderr, "%s: %s\n", what, of.c_str());
    std::abort();
}

void compare(const Model& model, const std::string& whole, Random& random) {
    const std::size_t heads = model.heads.size();
    TextState state(model, Isa::kGeneric);
    for (std::size_t at = 0; at < whole.size();) {
        std::size_t end = at + 1 + below(random, 12);
        while (end < whole.size() && is_continuation(whole[end])) ++end;
        end = std::min(end, whole.size());
        state.push(std::string_view(whole).substr(at, end - at));
        at = end;
        const Scores now = state.scores();
        const Scores then = score_text(model, whole.substr(0, at), Isa::kGeneric);
        for (std::size_t h = 0; h < heads; ++h) {
            if (std::bit_cast<std::uint32_t>(now[h]) != std::bit_cast<std::uint32_t>(then[h])) {
                fail("pieces and whole differ", whole.substr(0, at));
            }
            if (!(now[h] >= 0 && now[h] <= 1)) fail("no probability", whole);
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    const double seconds = count > 1 ? std::atof(arguments[1]) : 10;
    Random random(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
    const auto begin = std::chrono::steady_clock::now();
    std::size_t read = 0, refused = 0;
    while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() <
           seconds) {
        std::string bytes = file(random);
        if (below(random, 2) == 0) {
            for (std::size_t n = 1 + below(random, 4); n > 0; --n) {
                const std::size_t at = below(random, below(random, 2) == 0 ? 200 : bytes.size());
                bytes[at] = static_cast<char>(random());
            }
            if (below(random, 3) == 0) bytes.resize(below(random, bytes.size()));
        }
        try {
            const Model model = read_model(bytes);
            ++read;
            for (int i = 0; i < 3; ++i) compare(model, text(random), random);
        } catch (const std::invalid_argument&) {
            ++refused;
        }
    }
    std::printf("%zu files read, %zu refused\n", read, refused);
}
