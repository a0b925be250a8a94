// Attention's part of a Worker: bias, norm and rotation of queries and keys, the cache, the mixing.
#include <algorithm>
#include <cstring>

#include "ops/decoder/worker.h"

namespace edgeward::ops {
namespace {

// Calls work(job, attention, first, last) for the units [range) of all jobs, counted one after
// another; `units` says how many a job's attention has.
template <typename Jobs, typename Units, typename Work>
void over_jobs(const Jobs& jobs, Range range, const Units& units, const Work& work) {
    std::size_t begin = 0;
    for (const auto& job : jobs) {
        const std::size_t count = units(job);
        const std::size_t first = std::max(range.first, begin);
        const std::size_t last = std::min(range.last, begin + count);
        if (first < last) work(job, first - begin, last - begin);
        begin += count;
    }
}

}  // namespace

void Worker::rotate(std::size_t index) {
    // Work is a token of a kv head, so that one token alone is shared out as well; a norm over all
    // heads needs the whole token.
    const bool whole = shape_.qk_norm == QkNorm::kWhole;
    const std::size_t parts = whole ? 1 : shape_.kv_heads;
    const Range range = member_.share(pass_.tokens * parts);
    over_jobs(
        pass_.jobs, range, [&](const AttentionJob& job) { return job.sequence.count * parts; },
        [&](const AttentionJob& job, std::size_t first, std::size_t last) {
            for (std::size_t unit = first; unit < last; ++unit) {
                const std::size_t token = unit / parts, part = unit % parts;
                rotate_token(index, job, token, whole ? 0 : part,
                             whole ? shape_.kv_heads : part + 1);
            }
        });
}

void Worker::rotate_token(std::size_t index, const AttentionJob& job, std::size_t token,
                          std::size_t first_head, std::size_t last_head) {
    const Attention attention = pass_.attention(job, index);
    const std::size_t position = job.sequence.position + token;
    float* qkv = pass_.qkv + (job.sequence.first + token) * shape_.qkv_size();
    turn(index, position, qkv, first_head, last_head);
    for (std::size_t head = first_head; head < last_head; ++head) {
        append(attention, head, position, qkv);
    }
}

void Worker::append(const Attention& attention, std::size_t head, std::size_t position,
                    const float* qkv) {
    const float* k = qkv + shape_.query_size() + head * shape_.head_dim;
    ops_.append(attention.cache, head, position, k, k + shape_.kv_size());
}

void Worker::turn(std::size_t index, std::size_t position, float* qkv, std::size_t first_head,
                  std::size_t last_head) {
    const LayerWeights& weights = weights_.layers[index];
    const std::size_t dim = shape_.head_dim, group = shape_.heads / shape_.kv_heads;
    float* q = qkv;
    float* k = q + shape_.query_size();
    float* v = k + shape_.kv_size();
    const bool whole = shape_.qk_norm == QkNorm::kWhole;
    if (weights.qkv_bias != nullptr) {
        const std::size_t heads = last_head - first_head;
        const float* bias = weights.qkv_bias;
        const std::size_t from = first_head * dim;
        ops_.add(bias + from * group, heads * group * dim, q + from * group);
        ops_.add(bias + shape_.query_size() + from, heads * dim, k + from);
        ops_.add(bias + shape_.query_size() + shape_.kv_size() + from, heads * dim, v + from);
    }
    if (whole) {
        ops_.rms_norm(q, weights.q_norm, shape_.epsilon, shape_.query_size(), q);
        ops_.rms_norm(k, weights.k_norm, shape_.epsilon, shape_.kv_size(), k);
    }
    const int table = shape_.layers[index].rope;
    const std::size_t half = shape_.rotated / 2;
    const auto turn_head = [&](float* head, const float* norm) {
        if (norm != nullptr && !whole) ops_.rms_norm(head, norm, shape_.epsilon, dim, head);
        if (table < 0) return;
        const DecoderWeights::Rope& rope = weights_.ropes[static_cast<std::size_t>(table)];
        ops_.rotate(Rotary::kHalves, rope.cosines + position * half, rope.sines + position * half,
                    shape_.rotated, head);
    };
    for (std::size_t head = first_head; head < last_head; ++head) {
        for (std::size_t i = head * group; i < (head + 1) * group; ++i) {
            turn_head(q + i * dim, weights.q_norm);
        }
        turn_head(k + head * dim, weights.k_norm);
    }
}

QuantizedRows Worker::attend_alone(std::size_t index) {
    const AttentionJob& job = pass_.jobs.front();
    const std::size_t position = job.sequence.position;
    float* own = pass_.rows[member_.index];
    std::memcpy(own, pass_.qkv, shape_.qkv_size() * sizeof(float));
    turn(index, position, own, 0, shape_.kv_heads);
    Attention attention = pass_.attention(job, index);
    attention.queries = own;
    // Only the last segment looks at the new position: who computes that, stores it, and no thread
    // has to wait for another's keys.
    const std::size_t segments = attention.segments();
    for (Range range; !stopping() && member_.next(attention.split_units(), 1, range);) {
        const std::size_t unit = range.first;
        if (unit % (segments * attention.tiles()) == segments - 1) {
            append(attention, unit / (segments * attention.tiles()), position, own);
        }
        ops_.attend_split(attention, range.first, range.last, job.scratch);
    }
    wait();
    attention.out = own + shape_.qkv_size();
    ops_.attend_merge(attention, 0, attention.units(), job.scratch);
    const QuantizedRows out = quantized_view(pass_.inputs[member_.index], 1, shape_.query_size());
    ops_.quantize_row(attention.out, out, 0);
    return out;
}

bool Worker::attend(std::size_t index) {
    std::size_t units = 0;
    for (const AttentionJob& job : pass_.jobs) {
        const Attention attention = pass_.attention(job, index);
        units += job.split ? attention.split_units() : attention.units();
    }
    const auto all = [&](Range range, const auto& count, const auto& work) {
        over_jobs(
            pass_.jobs, range,
            [&](const AttentionJob& job) { return count(pass_.attention(job, index)); },
            [&](const AttentionJob& job, std::size_t first, std::size_t last) {
                work(job, pass_.attention(job, index), first, last);
            });
    };
    const auto whole = [](const Attention& attention) { return attention.units(); };
    const auto split = [](const Attention& attention) { return attention.split_units(); };
    if (!pass_.any_split) {
        for (Range range; !stopping() && member_.take(units, 1, range);) {
            all(range, whole,
                [&](const AttentionJob&, const Attention& attention, std::size_t first,
                    std::size_t last) { ops_.attend(attention, first, last); });
        }
        return wait();
    }
    all(member_.share(units), split,
        [&](const AttentionJob& job, const Attention& attention, std::size_t first,
            std::size_t last) { ops_.attend_split(attention, first, last, job.scratch); });
    if (wait()) return true;
    std::size_t merges = 0;
    for (const AttentionJob& job : pass_.jobs) merges += whole(pass_.attention(job, index));
    all(member_.share(merges), whole,
        [&](const AttentionJob& job, const Attention& attention, std::size_t first,
            std::size_t last) { ops_.attend_merge(attention, first, last, job.scratch); });
    return wait();
}

}  // namespace edgeward::ops
