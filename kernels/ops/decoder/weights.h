// The weights of a decoder as views over memory that someone else keeps.
//
// Knows: the order in which a graph hands them over, their sizes. Does not know: ONNX, threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/decoder/shape.h"
#include "ops/packed_matrix.h"

namespace edgeward::ops {

// Memory of one weight. `floats`: elements are float32, otherwise bytes of a packed matrix.
struct Memory {
    const void* data = nullptr;
    std::size_t bytes = 0;
    bool floats = false;
};

struct LayerWeights {
    const float* attention_norm = nullptr;       // [hidden]; null without a norm in front
    const float* attention_post_norm = nullptr;  // [hidden]; null without one behind
    const float* mlp_norm = nullptr;
    const float* mlp_post_norm = nullptr;
    const float* q_norm = nullptr;    // [head_dim], or [heads * head_dim] for the whole
    const float* k_norm = nullptr;    // likewise
    const float* qkv_bias = nullptr;  // [qkv_size]
    const float* o_bias = nullptr;    // [hidden]
    std::vector<PackedMatrix> qkv;
    PackedMatrix o, gate, up, down;
};

struct DecoderWeights {
    struct Rope {
        const float* cosines = nullptr;  // [context][rotated / 2]
        const float* sines = nullptr;
    };
    std::vector<Rope> ropes;
    PackedMatrix embedding, head;
    const float* final_norm = nullptr;
    std::vector<LayerWeights> layers;
};

// How many weights a decoder of this shape has.
std::size_t weight_count(const DecoderShape& shape);

// Views over `memory`, in this order: cosines and sines of each rotary table; embedding; of each
// layer attention_norm, qkv (one or three), qkv_bias, q_norm, k_norm, o, o_bias,
// attention_post_norm, mlp_norm, gate, up, down, mlp_post_norm, as
// far as the shape has them; final_norm; head unless tied. Throws std::invalid_argument where a
// count, type, size or alignment (64 bytes for packed matrices, 4 for floats) is not what the shape
// needs, naming the weight.
DecoderWeights weights_from(const DecoderShape& shape, const std::vector<Memory>& memory);

}  // namespace edgeward::ops
