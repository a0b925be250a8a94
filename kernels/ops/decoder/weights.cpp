#include "ops/decoder/weights.h"

#include <stdexcept>
#include <string>

namespace edgeward::ops {
namespace {

// Hands out the memory in order, each piece checked against what is expected there.
class Reader {
 public:
    explicit Reader(const std::vector<Memory>& memory) : memory_(memory) {}

    const float* floats(const std::string& name, std::size_t count) {
        const Memory& memory = next(name, true);
        expect(name, memory.bytes, count * sizeof(float));
        align(name, memory.data, alignof(float));
        return static_cast<const float*>(memory.data);
    }

    PackedMatrix matrix(const std::string& name, Format format, std::size_t rows,
                        std::size_t cols) {
        const Memory& memory = next(name, false);
        expect(name, memory.bytes, packed_bytes(format, rows, cols));
        align(name, memory.data, 64);
        return {format, rows, cols, static_cast<const std::uint8_t*>(memory.data)};
    }

 private:
    const Memory& next(const std::string& name, bool floats) {
        const Memory& memory = memory_[at_++];
        if (memory.floats == floats) return memory;
        throw std::invalid_argument(name + (floats ? " must be float32" : " must be packed uint8"));
    }

    static void expect(const std::string& name, std::size_t found, std::size_t wanted) {
        if (found == wanted) return;
        throw std::invalid_argument(name + " has " + std::to_string(found) +
                                    " bytes; its shape and format take " + std::to_string(wanted));
    }

    static void align(const std::string& name, const void* data, std::size_t to) {
        if (reinterpret_cast<std::uintptr_t>(data) % to == 0) return;
        throw std::invalid_argument(name + " does not begin at a multiple of " +
                                    std::to_string(to) + " bytes");
    }

    const std::vector<Memory>& memory_;
    std::size_t at_ = 0;
};

LayerWeights layer_from(const DecoderShape& shape, const LayerShape& layer, const std::string& at,
                        Reader& read) {
    LayerWeights weights;
    const bool before = shape.norms != Norms::kAfter, after = shape.norms != Norms::kBefore;
    if (before) weights.attention_norm = read.floats(at + "attention_norm", shape.hidden);
    if (layer.qkv.size() == 1) {
        weights.qkv = {read.matrix(at + "qkv", layer.qkv[0], shape.qkv_size(), shape.hidden)};
    } else {
        const std::size_t rows[3] = {shape.query_size(), shape.kv_size(), shape.kv_size()};
        const char* names[3] = {"q", "k", "v"};
        for (int i = 0; i < 3; ++i) {
            weights.qkv.push_back(read.matrix(at + names[i], layer.qkv[i], rows[i], shape.hidden));
        }
    }
    if (shape.qkv_bias) weights.qkv_bias = read.floats(at + "qkv_bias", shape.qkv_size());
    if (shape.qk_norm != QkNorm::kNone) {
        const bool whole = shape.qk_norm == QkNorm::kWhole;
        weights.q_norm = read.floats(at + "q_norm", whole ? shape.query_size() : shape.head_dim);
        weights.k_norm = read.floats(at + "k_norm", whole ? shape.kv_size() : shape.head_dim);
    }
    weights.o = read.matrix(at + "o", layer.o, shape.hidden, shape.query_size());
    if (shape.output_bias) weights.o_bias = read.floats(at + "o_bias", shape.hidden);
    if (after) weights.attention_post_norm = read.floats(at + "attention_post_norm", shape.hidden);
    if (before) weights.mlp_norm = read.floats(at + "mlp_norm", shape.hidden);
    weights.gate = read.matrix(at + "gate", layer.gate, shape.intermediate, shape.hidden);
    weights.up = read.matrix(at + "up", layer.up, shape.intermediate, shape.hidden);
    weights.down = read.matrix(at + "down", layer.down, shape.hidden, shape.intermediate);
    if (after) weights.mlp_post_norm = read.floats(at + "mlp_post_norm", shape.hidden);
    return weights;
}

}  // namespace

std::size_t weight_count(const DecoderShape& shape) {
    std::size_t count = 2 * shape.ropes + 2 + (shape.tied_head ? 0 : 1);
    for (const LayerShape& layer : shape.layers) {
        count += layer.qkv.size() + 4 + (shape.norms == Norms::kAround ? 4 : 2) +
                 (shape.qkv_bias ? 1 : 0) + (shape.output_bias ? 1 : 0) +
                 (shape.qk_norm == QkNorm::kNone ? 0 : 2);
    }
    return count;
}

DecoderWeights weights_from(const DecoderShape& shape, const std::vector<Memory>& memory) {
    if (memory.size() != weight_count(shape)) {
        throw std::invalid_argument("the node has " + std::to_string(memory.size()) +
                                    " weights; its shape takes " +
                                    std::to_string(weight_count(shape)));
    }
    Reader read(memory);
    DecoderWeights weights;
    const std::size_t table = shape.context * (shape.rotated / 2);
    for (std::size_t i = 0; i < shape.ropes; ++i) {
        const float* cosines = read.floats("rope.cos", table);
        weights.ropes.push_back({cosines, read.floats("rope.sin", table)});
    }
    weights.embedding = read.matrix("embedding", shape.embedding, shape.vocabulary, shape.hidden);
    for (std::size_t i = 0; i < shape.layers.size(); ++i) {
        weights.layers.push_back(
            layer_from(shape, shape.layers[i], "layers." + std::to_string(i) + ".", read));
    }
    weights.final_norm = read.floats("final_norm", shape.hidden);
    weights.head = shape.tied_head
                       ? weights.embedding
                       : read.matrix("head", shape.head, shape.vocabulary, shape.hidden);
    return weights;
}

}  // namespace edgeward::ops
