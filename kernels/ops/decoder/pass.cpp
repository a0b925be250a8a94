#include "ops/decoder/pass.h"

#include <algorithm>

#include "ops/quantized_rows.h"

namespace edgeward::ops {
namespace {

// Fewer units than this a thread, and attention is cut along the context too.
constexpr std::size_t kUnitsPerThread = 4;

}  // namespace

Pass::Pass(const DecoderShape& shape, const Piece& piece, std::size_t threads, Workspace& workspace)
    : shape(shape), piece(piece), tokens(piece.batch.tokens), wanted(piece.batch.wanted_count) {
    inputs.resize(tokens <= kPrivateTokens ? threads : 1);
    rows.resize(threads);
    std::size_t units = 0;
    for (const Sequence& sequence : piece.batch.sequences) {
        jobs.push_back({sequence, false, nullptr});
        units += attention(jobs.back(), 0).units();
    }
    any_split = threads > 1 && units < kUnitsPerThread * threads;
    for (AttentionJob& job : jobs) job.split = any_split;
    alone = any_split && tokens == 1 && attention(jobs.front(), 0).tiles() == 1;
    lay_out(workspace.require(lay_out(nullptr, threads)), threads);
}

std::size_t Pass::lay_out(std::uint8_t* memory, std::size_t threads) {
    Arena arena(memory);
    const std::size_t widest = std::max(shape.hidden, shape.query_size());
    x = arena.take<float>(tokens * shape.hidden);
    qkv = arena.take<float>(tokens * shape.qkv_size());
    mixed = arena.take<float>(tokens * shape.query_size());
    if (shape.norms != Norms::kBefore) branch = arena.take<float>(tokens * shape.hidden);
    x_wanted = arena.take<float>(wanted * shape.hidden);
    gated = arena.take<std::uint8_t>(quantized_bytes(tokens, shape.intermediate));
    for (void*& input : inputs) input = arena.take<std::uint8_t>(quantized_bytes(tokens, widest));
    for (std::size_t i = 0; i < threads; ++i)
        rows[i] = arena.take<float>(shape.qkv_size() + widest);
    for (AttentionJob& job : jobs) {
        if (job.split) {
            Attention whole = attention(job, 0);
            whole.window = 0;  // layers with a window need less
            job.scratch = arena.take<float>(whole.split_floats());
        }
    }
    return arena.used();
}

Attention Pass::attention(const AttentionJob& job, std::size_t layer) const {
    Attention attention;
    const Sequence& sequence = job.sequence;
    KvCache& cache = attention.cache;
    cache.kv_heads = shape.kv_heads;
    cache.head_dim = shape.head_dim;
    cache.context = piece.batch.cache_context;
    const std::size_t bytes = kv_bytes(cache);
    cache.keys = sequence.cache + 2 * layer * bytes;
    cache.values = sequence.cache + (2 * layer + 1) * bytes;
    attention.heads = shape.heads;
    attention.tokens = sequence.count;
    attention.position = sequence.position;
    attention.scale = shape.attention_scale;
    attention.soft_cap = shape.attention_cap;
    attention.window = shape.layers[layer].window;
    attention.queries = qkv + sequence.first * shape.qkv_size();
    attention.query_stride = shape.qkv_size();
    attention.out = mixed + sequence.first * shape.query_size();
    attention.out_stride = shape.query_size();
    return attention;
}

}  // namespace edgeward::ops
