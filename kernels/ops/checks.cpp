#include "ops/checks.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace edgeward::ops {
namespace {

using std::to_string;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

std::string shape(const PackedMatrix& m) { return to_string(m.rows) + " x " + to_string(m.cols); }

}  // namespace

void check_matrix(const PackedMatrix& matrix) {
    packed_bytes(matrix.format, matrix.rows, matrix.cols);
    const auto address = reinterpret_cast<std::uintptr_t>(matrix.data);
    if (address == 0 || address % 64 != 0) {
        refuse("a packed matrix lies at address " + to_string(address) +
               "; it must be aligned to 64 bytes");
    }
}

void check_multiply(const PackedMatrix& matrix, const QuantizedRows& x) {
    check_matrix(matrix);
    if (matrix.cols != x.cols) {
        refuse("a matrix of " + shape(matrix) + " cannot take rows of " + to_string(x.cols) +
               " values; they must have " + to_string(matrix.cols));
    }
}

void check_gated(const PackedMatrix& gate, const PackedMatrix& up) {
    check_matrix(gate);
    check_matrix(up);
    if (gate.rows != up.rows || gate.cols != up.cols) {
        refuse("the gate is " + shape(gate) + ", up is " + shape(up) + "; they must be alike");
    }
    if (gate.rows % kBlock != 0) {
        refuse("gate and up have " + to_string(gate.rows) +
               " rows; the next matrix takes a multiple of 32");
    }
}

void check_cache(const KvCache& cache) {
    if (cache.type != KvType::kFloat16 && cache.type != KvType::kInt8) {
        refuse("the cache's type is " + to_string(static_cast<std::uint32_t>(cache.type)) +
               "; known are 0 (float16) and 1 (int8)");
    }
    if (cache.kv_heads == 0) refuse("kv_heads is 0; give at least 1");
    if (cache.head_dim == 0 || cache.head_dim % 16 != 0 || cache.head_dim > kMaxHeadDim) {
        refuse("head_dim is " + to_string(cache.head_dim) + "; give a multiple of 16 up to " +
               to_string(kMaxHeadDim));
    }
    if (cache.context == 0 || cache.context % kSegment != 0) {
        refuse("context is " + to_string(cache.context) + "; give a positive multiple of " +
               to_string(kSegment));
    }
    if (cache.keys == nullptr || cache.values == nullptr ||
        (cache.type == KvType::kInt8 &&
         (cache.key_scales == nullptr || cache.value_scales == nullptr))) {
        refuse("the cache lacks memory for keys, values or scales");
    }
}

void check_attention(const Attention& a) {
    check_cache(a.cache);
    if (a.heads == 0 || a.heads % a.cache.kv_heads != 0) {
        refuse("heads is " + to_string(a.heads) + "; give a positive multiple of kv_heads, " +
               to_string(a.cache.kv_heads));
    }
    if (a.position > a.cache.context || a.tokens > a.cache.context - a.position) {
        refuse(to_string(a.tokens) + " tokens at position " + to_string(a.position) +
               " do not fit a context of " + to_string(a.cache.context));
    }
    const std::size_t width = a.heads * a.cache.head_dim;
    if (a.tokens > 0 && (a.query_stride < width || a.out_stride < width)) {
        refuse("query_stride is " + to_string(a.query_stride) + " and out_stride " +
               to_string(a.out_stride) + "; both must be at least " + to_string(width));
    }
    if (a.tokens > 0 && (a.queries == nullptr || a.out == nullptr)) {
        refuse("queries or out is null");
    }
    if (!std::isfinite(a.scale)) refuse("scale is not finite");
    if (!std::isfinite(a.soft_cap) || a.soft_cap < 0) {
        refuse("soft_cap is " + to_string(a.soft_cap) + "; give 0 (off) or a positive number");
    }
}

}  // namespace edgeward::ops
