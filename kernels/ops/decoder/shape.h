// What a decoder is made of: sizes, constants, and which parts each layer has.
//
// Knows: numbers and what ranges they may have. Does not know: weights, threads, ONNX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/format.h"
#include "ops/operators.h"

namespace edgeward::ops {

// The version of everything a graph and this code must agree on: attributes, order of weights,
// layouts of weights and cache. A graph with another one is refused.
constexpr std::int64_t kDecoderLayout = 1;

// RMS norms of a block: in front of it, in front and behind, or behind only; always inside the
// residual branch.
enum class Norms : std::int64_t { kBefore = 0, kAround = 1, kAfter = 2 };
// RMS norms of queries and keys: of each head by itself, or of all heads as one vector.
enum class QkNorm : std::int64_t { kNone = 0, kHead = 1, kWhole = 2 };

struct LayerShape {
    std::size_t window = 0;  // newest positions a token sees, itself included; 0: all
    int rope = 0;            // which pair of tables of cosines and sines; -1: none
    // Of q, k, v one below the other (one part, or several of different formats), o, gate, up,
    // down.
    std::vector<Format> qkv;
    Format o{}, gate{}, up{}, down{};
};

struct DecoderShape {
    std::size_t hidden = 0, intermediate = 0, heads = 0, kv_heads = 0, head_dim = 0;
    std::size_t vocabulary = 0;
    std::size_t rotated = 0;  // values of a head that are turned
    std::size_t ropes = 1;    // pairs of tables
    std::size_t context = 0;  // positions of the tables
    Norms norms = Norms::kBefore;
    QkNorm qk_norm = QkNorm::kNone;
    Activation activation = Activation::kSilu;
    bool qkv_bias = false;
    bool output_bias = false;  // of attention's output projection
    bool tied_head = false;
    float epsilon = 0;
    float attention_scale = 0;
    float attention_cap = 0;  // scores become cap * tanh(score / cap); 0: off
    float logit_cap = 0;      // logits become cap * tanh(logit); 0: off
    float embedding_scale = 1;
    Format embedding{}, head{};
    std::vector<LayerShape> layers;

    std::size_t query_size() const { return heads * head_dim; }
    std::size_t kv_size() const { return kv_heads * head_dim; }
    std::size_t qkv_size() const { return query_size() + 2 * kv_size(); }

    // Throws std::invalid_argument naming the value, the legal range and the reason.
    void check() const;
};

// "q4_1" and so on. Throws std::invalid_argument for an unknown name.
Format format_named(const std::string& name);

// One word a layer, each `window/rope/qkv+parts/o/gate/up/down`: "0/0/q4_1/q4_1/q4_1/q4_1/q8_0".
// Throws std::invalid_argument for anything else.
std::vector<LayerShape> layers_from(const std::string& words);

}  // namespace edgeward::ops
