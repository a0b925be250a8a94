#include "ops/decoder/shape.h"

#include <charconv>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace edgeward::ops {
namespace {

// Larger ones are no model of today, and products of two of them still fit 64 bits.
constexpr std::size_t kMost = std::size_t{1} << 24;
constexpr std::size_t kMostLayers = 1024;

constexpr const char* kNames[kFormats] = {"q4_0", "q4_1", "q8_0", "q8_1", "q4_k", "q5_k", "q6_k"};

void between(const char* name, std::size_t value, std::size_t least, std::size_t most) {
    if (value >= least && value <= most) return;
    throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                "; the fused operator takes " + std::to_string(least) + " to " +
                                std::to_string(most));
}

void multiple(const char* name, std::size_t value, std::size_t of) {
    between(name, value, 1, kMost);
    if (value % of == 0) return;
    throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                "; the fused operator takes multiples of " + std::to_string(of));
}

void finite(const char* name, float value, bool positive) {
    if (std::isfinite(value) && (positive ? value > 0 : value >= 0)) return;
    throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                "; the fused operator takes finite numbers " +
                                (positive ? "above zero" : "from zero on"));
}

template <typename Number>
Number number_from(const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    throw std::invalid_argument("a layer is described with '" + text + "' where a number belongs");
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
    return parts;
}

LayerShape layer_from(const std::string& word) {
    const std::vector<std::string> parts = split(word, '/');
    if (parts.size() != 7) {
        throw std::invalid_argument("a layer is described as '" + word +
                                    "'; it takes window/rope/qkv/o/gate/up/down");
    }
    LayerShape layer;
    layer.window = number_from<std::size_t>(parts[0]);
    layer.rope = number_from<int>(parts[1]);
    for (const std::string& name : split(parts[2], '+')) layer.qkv.push_back(format_named(name));
    layer.o = format_named(parts[3]);
    layer.gate = format_named(parts[4]);
    layer.up = format_named(parts[5]);
    layer.down = format_named(parts[6]);
    return layer;
}

}  // namespace

Format format_named(const std::string& name) {
    std::string known;
    for (std::uint32_t i = 0; i < kFormats; ++i) {
        if (name == kNames[i]) return static_cast<Format>(i);
        known += (i == 0 ? "" : ", ") + std::string(kNames[i]);
    }
    throw std::invalid_argument("a matrix has the format '" + name + "'; known are " + known);
}

std::vector<LayerShape> layers_from(const std::string& words) {
    std::vector<LayerShape> layers;
    for (const std::string& word : split(words, ' ')) layers.push_back(layer_from(word));
    return layers;
}

void DecoderShape::check() const {
    multiple("hidden", hidden, kBlock);
    multiple("intermediate", intermediate, kBlock);
    multiple("head_dim", head_dim, 16);
    between("head_dim", head_dim, 16, kMaxHeadDim);
    multiple("heads * head_dim", query_size(), kBlock);
    between("kv_heads", kv_heads, 1, kMost);
    multiple("heads", heads, kv_heads);
    between("heads", heads, 1, 4096);
    between("vocabulary", vocabulary, 1, kMost);
    multiple("rotated", rotated, 2);
    between("rotated", rotated, 2, head_dim);
    between("context", context, 1, kMost);
    between("ropes", ropes, 0, 8);
    between("layers", layers.size(), 1, kMostLayers);
    between("norms", static_cast<std::size_t>(norms), 0, 2);
    between("qk_norm", static_cast<std::size_t>(qk_norm), 0, 2);
    between("activation", static_cast<std::size_t>(activation), 0, 1);
    finite("epsilon", epsilon, false);
    finite("attention_scale", attention_scale, true);
    finite("attention_cap", attention_cap, false);
    finite("logit_cap", logit_cap, false);
    finite("embedding_scale", embedding_scale, true);
    for (const LayerShape& layer : layers) {
        if (layer.rope < -1 || layer.rope >= static_cast<int>(ropes)) {
            throw std::invalid_argument("a layer takes rotary table " + std::to_string(layer.rope) +
                                        " of " + std::to_string(ropes));
        }
        if (layer.qkv.size() != 1 && layer.qkv.size() != 3) {
            throw std::invalid_argument("q, k and v come in " + std::to_string(layer.qkv.size()) +
                                        " matrices; the fused operator takes 1 or 3");
        }
    }
}

}  // namespace edgeward::ops
