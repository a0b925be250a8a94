// Runs tokenizer files over a text on three threads, and damaged copies of the files, for use with
// the sanitizers. Knows nothing of Python.
//
//   g++ -std=c++20 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Ikernels
//       tests/fuzz/tokenizer_stress.cpp kernels/tokenizer/*.cpp -o build/stress -pthread
//   build/stress text.txt tokenizer.json ...
//
// The same with -fsanitize=thread. A mismatch between encode and encode_with_offsets aborts.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

namespace {

constexpr int kTexts = 400;
constexpr int kDamaged = 12;
constexpr size_t kLargestToDamage = 3'000'000;

std::string read(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(std::string("cannot read ") + path);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
}

// Pieces of the text cut anywhere, every third with random bytes in it.
void encode_pieces(const edgeward::Tokenizer& tokenizer, const std::string& text, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < kTexts; ++i) {
        std::string piece = text.substr(random() % text.size(), random() % 3000);
        for (int n = 0; i % 3 == 0 && n < 5 && !piece.empty(); ++n) {
            piece[random() % piece.size()] = static_cast<char>(random());
        }
        piece = edgeward::utf8_lossy(piece);
        const edgeward::Encoding encoding = tokenizer.encode_with_offsets(piece, true);
        if (tokenizer.encode(piece, true) != encoding.ids) {
            std::cerr << "encode and encode_with_offsets differ\n";
            std::abort();
        }
        tokenizer.decode(encoding.ids, false);
    }
}

int count_refused(const std::string& json) {
    std::mt19937 random(1);
    int refused = 0;
    for (int i = 0; i < kDamaged; ++i) {
        std::string damaged = json;
        for (int n = 0; n < 3; ++n) {
            // Printable, so that the damage is not just invalid UTF-8.
            damaged[random() % damaged.size()] = static_cast<char>(' ' + random() % 95);
        }
        if (i % 2) damaged.resize(random() % damaged.size());
        try {
            edgeward::Tokenizer(damaged).encode("abc \xC3\xA9", true);
        } catch (const std::invalid_argument&) {
            ++refused;
        }
    }
    return refused;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: tokenizer_stress text tokenizer.json ...\n";
        return 2;
    }
    const std::string text = read(argv[1]);
    for (int i = 2; i < argc; ++i) {
        const std::string json = read(argv[i]);
        const edgeward::Tokenizer tokenizer(json);
        std::vector<std::jthread> threads;
        for (unsigned seed = 0; seed < 3; ++seed) {
            threads.emplace_back([&, seed] { encode_pieces(tokenizer, text, seed); });
        }
        threads.clear();
        const int refused = json.size() < kLargestToDamage ? count_refused(json) : 0;
        std::cout << argv[i] << ": " << refused << " damaged copies refused" << std::endl;
    }
}
