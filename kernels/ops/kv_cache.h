// Keys and values of one layer and one sequence, as the attention kernels read them.
//
// Knows: types, layout, sizes. Does not know: who owns the memory, how many positions are filled.
//
// Keys lie in blocks of 16 positions, [kv_head][context / 16][head_dim][16], so that a score needs
// no horizontal sum; values lie in rows, [kv_head][context][head_dim]. Both take as many bytes as
// rows would. int8: one float scale a position and head, value = code * scale.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeward::ops {

constexpr std::size_t kKeyBlock = 16;  // positions

enum class KvType : std::uint32_t { kFloat16 = 0, kInt8 = 1 };

struct KvCache {
    KvType type = KvType::kFloat16;
    std::size_t kv_heads = 0;
    std::size_t head_dim = 0;  // a multiple of 16, at most kMaxHeadDim
    std::size_t context = 0;   // a multiple of 64
    void* keys = nullptr;
    void* values = nullptr;
    float* key_scales = nullptr;    // [kv_head][context]; null for float16
    float* value_scales = nullptr;  // likewise

    std::size_t element_bytes() const { return type == KvType::kFloat16 ? 2 : 1; }
    std::size_t head_bytes() const { return context * head_dim * element_bytes(); }
};

constexpr std::size_t kMaxHeadDim = 512;

// Bytes of `keys`, and of `values` as well.
inline std::size_t kv_bytes(const KvCache& cache) { return cache.kv_heads * cache.head_bytes(); }

}  // namespace edgeward::ops
