// Prints a digest of what every operator computes: the same lines on every machine and instruction
// set. Usage: record ISA
//
// Knows: made inputs, all formats and shapes around the widths of vectors and tiles. Does not know:
// right answers; those are the twins' (test_*.py), which hold the set that the lines are compared
// with.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ops/operators.h"

namespace {

using namespace edgeward;
using namespace edgeward::ops;

// Numbers that need no library: a 64-bit linear congruence, its high bits.
struct Numbers {
    std::uint64_t state = 1;
    std::uint32_t next() {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>(state >> 33);
    }
    int between(int low, int high) {
        return low + static_cast<int>(next() % static_cast<unsigned>(high - low + 1));
    }
    // Multiples of 1/256 in [-4, 4).
    float number() { return static_cast<float>(between(-1024, 1023)) / 256.0f; }
    std::vector<float> numbers(std::size_t n) {
        std::vector<float> made(n);
        for (float& x : made) x = number();
        return made;
    }
};

struct Digest {
    std::uint64_t hash = 14695981039346656037u;
    void add(const void* data, std::size_t bytes) {
        const auto* at = static_cast<const unsigned char*>(data);
        for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ at[i]) * 1099511628211u;
    }
    void add(const std::vector<float>& x) { add(x.data(), x.size() * sizeof(float)); }
    void print(const char* name, int kind = 0) const {
        std::printf("%s %d %016llx\n", name, kind, static_cast<unsigned long long>(hash));
    }
};

// Aligned to 64, zeroed.
struct Memory {
    std::size_t bytes;
    std::uint8_t* data;
    explicit Memory(std::size_t n)
        : bytes((n + 64) / 64 * 64),
          data(static_cast<std::uint8_t*>(std::aligned_alloc(64, bytes))) {
        std::memset(data, 0, bytes);
    }
    ~Memory() { std::free(data); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
};

void quantize(const Operators& o, const std::vector<float>& x, const QuantizedRows& to) {
    for (std::size_t t = 0; t < to.rows; ++t) o.quantize_row(x.data() + t * to.cols, to, t);
}

void record_products(const Operators& o) {
    for (std::uint32_t f = 0; f < kFormats; ++f) {
        Numbers numbers;
        Digest digest;
        const auto format = static_cast<Format>(f);
        const Layout layout = layout_of(format);
        const std::size_t rows = 96, cols = 160, blocks = cols / kBlock;
        std::vector<std::int8_t> values(rows * cols);
        for (auto& v : values) {
            v = static_cast<std::int8_t>(numbers.between(layout.lowest(), layout.highest()));
        }
        const auto scales = numbers.numbers(rows * blocks * layout.scales);
        const auto minima = numbers.numbers(rows * blocks);
        const Memory packed(packed_bytes(format, rows, cols));
        pack_matrix(format, rows, cols, values.data(), scales.data(), minima.data(), packed.data);
        const PackedMatrix whole{format, rows, cols, packed.data};
        for (std::size_t tokens = 1; tokens < 22; ++tokens) {
            const Memory x(quantized_bytes(tokens, cols)), y(quantized_bytes(tokens, rows));
            const QuantizedRows right = quantized_view(x.data, tokens, cols);
            const QuantizedRows gated = quantized_view(y.data, tokens, rows);
            quantize(o, numbers.numbers(tokens * cols), right);
            digest.add(x.data, x.bytes);
            for (std::size_t use : {std::size_t{96}, std::size_t{83}}) {
                const PackedMatrix matrix{format, use, cols, packed.data};
                std::vector<float> out = numbers.numbers(tokens * use);
                o.multiply(matrix, right, 0, matrix.groups(), Store::kAdd, out.data(), use);
                digest.add(out);
            }
            o.multiply_gated(whole, whole, right, Activation::kSilu, 0, gated.blocks(), gated);
            digest.add(y.data, y.bytes);
        }
        digest.print("product", static_cast<int>(f));
    }
}

void record_rows(const Operators& o) {
    Numbers numbers;
    Digest norm, gate, turn, top;
    for (std::size_t n = 1; n < 140; ++n) {
        const auto x = numbers.numbers(n), y = numbers.numbers(n);
        std::vector<float> out(n);
        o.rms_norm(x.data(), y.data(), 1e-5f, n, out.data());
        norm.add(out);
        for (const Activation a : {Activation::kSilu, Activation::kGeluTanh}) {
            o.gate(a, x.data(), y.data(), n, out.data());
            gate.add(out);
        }
        std::vector<std::uint32_t> ids(5);
        std::vector<float> values(5);
        o.top(x.data(), n, 3, 5, ids.data(), values.data());
        top.add(ids.data(), ids.size() * sizeof(std::uint32_t));
        const std::size_t even = n / 2 * 2;
        for (const Rotary rotary : {Rotary::kHalves, Rotary::kPairs}) {
            out = x;
            o.rotate(rotary, y.data(), y.data() + even / 2, even, out.data());
            turn.add(out);
        }
    }
    norm.print("norm");
    gate.print("gate");
    turn.print("turn");
    top.print("top");
}

void record_attention(const Operators& o, KvType type) {
    Numbers numbers;
    Digest digest;
    for (const std::size_t dim : {16, 64, 80}) {
        const std::size_t kv_heads = 2, context = 192, count = 150, heads = 6;
        const Memory keys(kv_heads * context * dim * 2), values(kv_heads * context * dim * 2);
        const Memory key_scales(kv_heads * context * 4), value_scales(kv_heads * context * 4);
        const KvCache cache{type,
                            kv_heads,
                            dim,
                            context,
                            keys.data,
                            values.data,
                            reinterpret_cast<float*>(key_scales.data),
                            reinterpret_cast<float*>(value_scales.data)};
        for (std::size_t p = 0; p < count; ++p) {
            for (std::size_t h = 0; h < kv_heads; ++h) {
                const auto k = numbers.numbers(dim), v = numbers.numbers(dim);
                o.append(cache, h, p, k.data(), v.data());
            }
        }
        digest.add(keys.data, keys.bytes);
        digest.add(values.data, values.bytes);
        for (const std::size_t window : {0, 40}) {
            for (const std::size_t tokens : {1, 2, 5, 23}) {
                Attention call;
                call.cache = cache;
                call.heads = heads;
                call.tokens = tokens;
                call.position = count - tokens;
                call.scale = 0.25f;
                call.soft_cap = window == 0 ? 0.0f : 20.0f;
                call.window = window;
                const auto queries = numbers.numbers(tokens * heads * dim);
                std::vector<float> out(queries.size());
                call.queries = queries.data();
                call.out = out.data();
                call.query_stride = call.out_stride = heads * dim;
                o.attend(call, 0, call.units());
                digest.add(out);
                const Memory scratch(call.split_floats() * sizeof(float));
                auto* partial = reinterpret_cast<float*>(scratch.data);
                o.attend_split(call, 0, call.split_units(), partial);
                o.attend_merge(call, 0, call.units(), partial);
                digest.add(out);
            }
        }
    }
    digest.print("attention", static_cast<int>(type));
}

}  // namespace

int main(int count, char** arguments) {
    for (const Isa isa : supported_isas()) {
        if (count != 2 || std::string(arguments[1]) != isa_name(isa)) continue;
        const Operators& operators = operators_for(isa);
        record_products(operators);
        record_rows(operators);
        record_attention(operators, KvType::kFloat16);
        record_attention(operators, KvType::kInt8);
        return 0;
    }
    std::fprintf(stderr, "usage: record ISA, one that this build and processor have\n");
    return 2;
}
