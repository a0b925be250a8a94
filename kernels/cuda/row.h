// One row of logits as the kernels see it, and floats as whole numbers that rank alike.
//
// Knows: element types, keys, where in the workspace a row's parts are. Does not know: threads.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "cuda/api.h"
#include "sampling/passes.h"
#include "sampling/weight.h"

namespace edgeward::cuda {

using sampling::blocks_of;
using sampling::kBlock;
using sampling::kUnitWeight;
using sampling::Moments;

constexpr std::uint32_t kNone = 0xffffffffu;
constexpr float kMinusInfinity = -__builtin_huge_valf();

// Exact: every half is a float.
EDGEWARD_HD inline float from_half(std::uint16_t half) {
    // As a float with the exponent's bias still that of a half; 2^112 mends it, subnormals as well.
    const float scaled = std::bit_cast<float>((half & 0x7fffu) << 13) * 0x1p112f;
    std::uint32_t bits = std::bit_cast<std::uint32_t>(scaled);
    if ((half & 0x7c00u) == 0x7c00u) bits |= 0x7f800000u;  // infinity and NaN
    return std::bit_cast<float>(bits | (half & 0x8000u) << 16);
}

EDGEWARD_HD inline float from_bfloat(std::uint16_t bfloat) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat) << 16);
}

struct Logits {
    const void* data;
    std::uint32_t type, size;

    EDGEWARD_HD float operator[](std::uint32_t i) const {
        if (type == EDGEWARD_FLOAT32) return static_cast<const float*>(data)[i];
        const std::uint16_t bits = static_cast<const std::uint16_t*>(data)[i];
        return type == EDGEWARD_FLOAT16 ? from_half(bits) : from_bfloat(bits);
    }
};

// Ranks as the float does; -0 and +0 are one. Not for NaN.
EDGEWARD_HD inline std::uint32_t key_of(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0f);
    return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}

EDGEWARD_HD inline float value_of(std::uint32_t key) {
    return std::bit_cast<float>((key >> 31) != 0 ? key & 0x7fffffffu : ~key);
}

// The workspace of one step, in parts for all rows: each is a matrix of rows.
struct Workspace {
    std::uint64_t* mass;       // of each block
    Moments* moments;          // of each block
    float* highest;            // of each block
    float* copy;               // logits after mask and edits, of rows that have any
    std::uint32_t* first_nan;  // one a row; kNone: none
};

EDGEWARD_HD inline std::size_t aligned(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

// Lays the parts out in the memory at `base`; returns how much they take.
EDGEWARD_HD inline std::size_t lay_out(void* base, std::size_t rows, std::size_t vocabulary,
                                       bool copies, Workspace& parts) {
    auto* at = static_cast<unsigned char*>(base);
    const auto take = [&at](std::size_t bytes) {
        unsigned char* part = at;
        at += aligned(bytes);
        return part;
    };
    const std::size_t blocks = rows * blocks_of(vocabulary);
    parts.mass = reinterpret_cast<std::uint64_t*>(take(blocks * sizeof(std::uint64_t)));
    parts.moments = reinterpret_cast<Moments*>(take(blocks * sizeof(Moments)));
    parts.highest = reinterpret_cast<float*>(take(blocks * sizeof(float)));
    parts.first_nan = reinterpret_cast<std::uint32_t*>(take(rows * sizeof(std::uint32_t)));
    parts.copy = reinterpret_cast<float*>(take(copies ? rows * vocabulary * sizeof(float) : 0));
    return static_cast<std::size_t>(at - static_cast<unsigned char*>(base));
}

// One row of a step: its plan, its logits as they came and as they are drawn from, its workspace.
struct Row {
    const edgeward_row* plan;
    Logits raw, logits;
    const std::uint32_t* allowed;
    std::uint32_t size, blocks;
    std::uint64_t* mass;
    Moments* moments;
    float* highest;
    float* copy;
    std::uint32_t* first_nan;

    EDGEWARD_HD bool is(std::uint32_t flag) const { return (plan->flags & flag) != 0; }
    EDGEWARD_HD bool copied() const { return allowed != nullptr || is(EDGEWARD_EDITED); }
};

EDGEWARD_HD inline Row row_of(const edgeward_step& step, const Workspace& parts,
                              std::uint32_t index) {
    Row row{};
    const std::size_t size = step.vocabulary, blocks = blocks_of(size);
    const std::size_t width = step.type == EDGEWARD_FLOAT32 ? 4 : 2;
    row.plan = step.plan + index;
    row.raw = {static_cast<const unsigned char*>(step.logits) + index * step.stride * width,
               step.type, step.vocabulary};
    if (step.allowed != nullptr) row.allowed = step.allowed + index * ((size + 31) / 32);
    row.size = step.vocabulary;
    row.blocks = static_cast<std::uint32_t>(blocks);
    row.mass = parts.mass + index * blocks;
    row.moments = parts.moments + index * blocks;
    row.highest = parts.highest + index * blocks;
    row.copy = parts.copy + index * size;
    row.first_nan = parts.first_nan + index;
    row.logits = row.copied() ? Logits{row.copy, EDGEWARD_FLOAT32, step.vocabulary} : row.raw;
    return row;
}

}  // namespace edgeward::cuda
