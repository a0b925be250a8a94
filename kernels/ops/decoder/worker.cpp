#include "ops/decoder/worker.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace edgeward::ops {
namespace {

// Few rows are bound by reading weights: each thread streams its own share, in parts that another
// may take when it is done before. Many rows: small parts on demand.
constexpr std::size_t kStreamedRows = 8;
constexpr std::size_t kStreamedGroups = 8;
constexpr std::size_t kPartsPerThread = 12;

}  // namespace

// --- waiting and sharing

bool Worker::wait() {
    const std::size_t turn = turn_++ & 1;
    if (member_.index == 0) {
        pass_.stopped[turn] = stopping();
        const auto began = std::chrono::steady_clock::now();
        member_.barrier();
        const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - began;
        pass_.waited += waited.count();
    } else {
        member_.barrier();
    }
    stopped_ = pass_.stopped[turn];
    return stopped_;
}

template <typename Work>
void Worker::deal(std::size_t groups, std::size_t rows, const Work& work) {
    Range range;
    if (rows <= kStreamedRows) {
        while (!stopping() && member_.next(groups, kStreamedGroups, range)) {
            work(range.first, range.last);
        }
        return;
    }
    const std::size_t part = std::max<std::size_t>(1, groups / (member_.count * kPartsPerThread));
    while (!stopping() && member_.take(groups, part, range)) work(range.first, range.last);
}

QuantizedRows Worker::prepare(const Rows& rows, const float* norm, std::size_t columns) {
    const bool alone = pass_.inputs.size() > 1;
    const QuantizedRows out =
        quantized_view(pass_.inputs[alone ? member_.index : 0], rows.count, columns);
    const Range range = alone ? Range{0, rows.count} : member_.share(rows.count);
    for (std::size_t row = range.first; row < range.last; ++row) {
        const float* x = rows.data + row * rows.stride;
        if (norm != nullptr) {
            float* normed = pass_.rows[member_.index];
            ops_.rms_norm(x, norm, shape_.epsilon, columns, normed);
            x = normed;
        }
        ops_.quantize_row(x, out, row);
    }
    if (!alone) wait();
    return out;
}

// --- the order of operations

void Worker::run() {
    Rows x{pass_.x, pass_.tokens, shape_.hidden};
    embed();
    if (wait()) return;
    for (std::size_t i = 0; i < shape_.layers.size(); ++i) {
        if (!layer(i, x)) return;
    }
    logits(x);
}

bool Worker::layer(std::size_t index, Rows& x) {
    const LayerWeights& weights = weights_.layers[index];
    const QuantizedRows normed = prepare(x, weights.attention_norm, shape_.hidden);
    std::size_t row = 0;
    for (const PackedMatrix& part : weights.qkv) {
        deal(part.groups(), x.count, [&](std::size_t first, std::size_t last) {
            ops_.multiply(part, normed, first, last, Store::kSet, pass_.qkv + row,
                          shape_.qkv_size());
        });
        row += part.rows;
        if (wait()) return false;
    }
    const bool last = index + 1 == shape_.layers.size();
    const bool keys_only = last && pass_.wanted == 0;
    const bool alone = pass_.alone && !keys_only;
    if (!alone) {
        rotate(index);
        if (wait()) return false;
        // Nothing behind the last layer's keys and values looks at positions that nobody asked for.
        if (keys_only || attend(index)) return false;
        if (last && pass_.wanted < x.count) {
            keep_wanted(x);
            if (wait()) return false;
        }
    }
    const QuantizedRows attended =
        alone ? attend_alone(index)
              : prepare({pass_.mixed, x.count, shape_.query_size()}, nullptr, shape_.query_size());
    if (stopped_) return false;
    project(weights.o, weights.o_bias, attended, weights.attention_post_norm, x);
    if (stopped_) return false;
    const QuantizedRows input = prepare(x, weights.mlp_norm, shape_.hidden);
    const QuantizedRows gated = quantized_view(pass_.gated, x.count, shape_.intermediate);
    deal(gated.blocks(), x.count, [&](std::size_t first, std::size_t last_block) {
        ops_.multiply_gated(weights.gate, weights.up, input, shape_.activation, first, last_block,
                            gated);
    });
    if (wait()) return false;
    project(weights.down, nullptr, gated, weights.mlp_post_norm, x);
    return !stopped_;
}

void Worker::embed() {
    const Range range = member_.share(pass_.tokens);
    for (std::size_t token = range.first; token < range.last; ++token) {
        float* row = pass_.x + token * shape_.hidden;
        const auto id = static_cast<std::size_t>(pass_.piece.batch.ids[token]);
        unpack_row(weights_.embedding, id, row);
        if (shape_.embedding_scale == 1.0f) continue;
        for (std::size_t i = 0; i < shape_.hidden; ++i) row[i] *= shape_.embedding_scale;
    }
}

void Worker::project(const PackedMatrix& matrix, const float* bias, const QuantizedRows& input,
                     const float* norm, const Rows& x) {
    const bool direct = norm == nullptr;
    float* out = direct ? x.data : pass_.branch;
    deal(matrix.groups(), x.count, [&](std::size_t first, std::size_t last) {
        ops_.multiply(matrix, input, first, last, direct ? Store::kAdd : Store::kSet, out,
                      x.stride);
        if (bias == nullptr) return;
        const std::size_t from = first * kGroup, count = (last - first) * kGroup;
        for (std::size_t row = 0; row < x.count; ++row) {
            ops_.add(bias + from, count, out + row * x.stride + from);
        }
    });
    if (wait() || direct) return;
    add_branch(norm, x);
}

void Worker::add_branch(const float* norm, const Rows& x) {
    const Range range = member_.share(x.count);
    for (std::size_t row = range.first; row < range.last; ++row) {
        float* branch = pass_.branch + row * shape_.hidden;
        ops_.rms_norm(branch, norm, shape_.epsilon, shape_.hidden, branch);
        ops_.add(branch, shape_.hidden, x.data + row * x.stride);
    }
    wait();
}

void Worker::keep_wanted(Rows& x) {
    // Each wanted row moves forward or stays; the residual goes elsewhere so that no thread
    // overwrites what another still reads. The attention's result is compacted by one thread.
    const Range range = member_.share(pass_.wanted);
    for (std::size_t i = range.first; i < range.last; ++i) {
        std::memcpy(pass_.x_wanted + i * shape_.hidden,
                    pass_.x + pass_.piece.wanted_token(i) * shape_.hidden,
                    shape_.hidden * sizeof(float));
    }
    if (member_.index == 0) {
        const std::size_t size = shape_.query_size();
        for (std::size_t i = 0; i < pass_.wanted; ++i) {
            std::memmove(pass_.mixed + i * size, pass_.mixed + pass_.piece.wanted_token(i) * size,
                         size * sizeof(float));
        }
    }
    x = {pass_.x_wanted, pass_.wanted, shape_.hidden};
}

void Worker::logits(const Rows& x) {
    const QuantizedRows normed = prepare(x, weights_.final_norm, shape_.hidden);
    float* out = pass_.piece.batch.logits;
    deal(weights_.head.groups(), x.count, [&](std::size_t first, std::size_t last) {
        ops_.multiply(weights_.head, normed, first, last, Store::kSet, out, shape_.vocabulary);
        if (shape_.logit_cap == 0.0f) return;
        const std::size_t begin = first * kGroup;
        const std::size_t end = std::min(last * kGroup, shape_.vocabulary);
        for (std::size_t row = 0; row < x.count; ++row) {
            float* logit = out + row * shape_.vocabulary;
            for (std::size_t i = begin; i < end; ++i) {
                logit[i] = shape_.logit_cap * std::tanh(logit[i]);
            }
        }
    });
    wait();
}

}  // namespace edgeward::ops
