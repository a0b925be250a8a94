// A safety model: what its file holds, checked, and laid out for the kernels.
//
// Knows: the file format (docs/safety-models.md), sizes and finite numbers. Does not know: text.
// Every length is held against the bytes that are there before anything is read or reserved, so a
// damaged or hostile file ends in std::invalid_argument and in nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgeward::safety {

constexpr std::size_t kMaxHeads = 8;
constexpr std::size_t kMaxChannels = 128;
// Earlier words that a word's features may depend on: two for each tap but the first, twice apart
// in the second layer.
constexpr std::size_t kTaps = 3, kFirstReach = 2, kSecondReach = 4;

// Named trade-offs, in the order of the file: the share of benign prompts each is made to flag.
enum class Level : std::uint8_t { kStrict, kBalanced, kPermissive };
constexpr std::size_t kLevels = 3;
constexpr std::array<const char*, kLevels> kLevelNames = {"strict", "balanced", "permissive"};

struct Threshold {
    float false_positive_rate;
    float probability;
};

// logit = linear * by_linear + encoder * by_encoder + log2(windows) * by_length + bias.
struct Calibration {
    float by_linear, by_encoder, by_length, bias;
};

// A text of one window whose linear score is below `from` needs no encoder: its logit is
// linear * by_linear + bias. Version 1 of the file has none; its `from` is below every score.
struct Alone {
    float by_linear, bias, from;
};

struct Head {
    std::string name;
    Calibration calibration;
    Alone alone;
    std::array<Threshold, kLevels> thresholds;
};

// weights[bucket * heads + head], int8; a head's score is scale * sum / sqrt(distinct) + bias.
struct Linear {
    std::uint32_t buckets = 0;
    std::vector<std::int8_t> weights;
    std::array<float, kMaxHeads> scale{}, bias{};
};

// Two causal convolutions over word vectors, their maximum and mean over windows, two dense layers.
// Matrices are [input][output], so that a step is one input against all outputs.
struct Encoder {
    std::size_t words = 0, pieces = 0, width = 0, channels = 0, hidden = 0;
    std::size_t window = 0;               // words; windows begin every window / 2
    std::vector<std::uint32_t> hashes;    // of the known words, ascending
    std::vector<std::int8_t> word_rows;   // [words][width]
    std::vector<std::int8_t> piece_rows;  // [pieces][width], for words that are not known
    float row_scale = 0;
    std::vector<float> first, first_bias;    // [kTaps * width][channels], tap 0 is the word itself
    std::vector<float> second, second_bias;  // [kTaps * channels][channels]
    std::vector<float> third, third_bias;    // [2 * channels][hidden]: maximum, then mean
    std::vector<float> last, last_bias;      // [hidden][heads]
};

struct Model {
    std::vector<Head> heads;
    Linear linear;
    Encoder encoder;  // words == 0: none
    bool has_encoder() const { return encoder.words != 0; }
};

// Throws std::invalid_argument that says what is wrong and where.
Model read_model(std::string_view bytes);

}  // namespace edgeward::safety
