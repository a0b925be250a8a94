#include "safety/encoder_state.h"

#include <algorithm>
#include <cstring>

#include "safety/features.h"

namespace edgeward::safety {

EncoderState::EncoderState(const Encoder& encoder, std::size_t heads, Isa isa)
    : encoder_(&encoder),
      heads_(heads),
      dense_(dense_for(isa)),
      vectors_((kFirstReach + kBatch) * encoder.width),
      features_((kSecondReach + kBatch) * encoder.channels),
      outputs_(kBatch * encoder.channels) {}

// A known word has a row; an unknown one is the mean of its pieces' rows, a sign that is unknown
// nothing.
void EncoderState::embed(const Word& word, std::uint32_t hash, float* row) const {
    const Encoder& e = *encoder_;
    std::array<std::int32_t, kMaxChannels> sums{};
    std::int32_t count = 0;
    const auto add = [&](const std::int8_t* values) {
        for (std::size_t i = 0; i < e.width; ++i) sums[i] += values[i];
        ++count;
    };
    const auto found = std::lower_bound(e.hashes.begin(), e.hashes.end(), hash);
    if (found != e.hashes.end() && *found == hash) {
        add(e.word_rows.data() + static_cast<std::size_t>(found - e.hashes.begin()) * e.width);
    } else if (!word.sign) {
        const std::uint32_t mask = static_cast<std::uint32_t>(e.pieces - 1);
        for_each_piece(word, [&](std::uint32_t piece) {
            add(e.piece_rows.data() + std::size_t{piece & mask} * e.width);
        });
    }
    const float scale = count == 0 ? 0.0f : e.row_scale / static_cast<float>(count);
    for (std::size_t i = 0; i < e.width; ++i) row[i] = static_cast<float>(sums[i]) * scale;
}

void EncoderState::add(const Word& word, std::uint32_t hash) {
    embed(word, hash, vectors_.data() + (kFirstReach + waiting_) * encoder_->width);
    if (++waiting_ == kBatch) settle();
}

void EncoderState::settle() {
    if (waiting_ == 0) return;
    const Encoder& e = *encoder_;
    const std::size_t n = waiting_, width = e.width, channels = e.channels;
    float* features = features_.data() + kSecondReach * channels;
    for (std::size_t r = 0; r < n; ++r) {
        std::copy(e.first_bias.begin(), e.first_bias.end(), features + r * channels);
        std::copy(e.second_bias.begin(), e.second_bias.end(), outputs_.data() + r * channels);
    }
    for (std::size_t tap = 0; tap < kTaps; ++tap) {
        dense_(vectors_.data() + (kFirstReach - tap) * width, width, n, width,
               e.first.data() + tap * width * channels, channels, features, channels);
    }
    for (std::size_t i = 0; i < n * channels; ++i) features[i] = std::max(features[i], 0.0f);
    for (std::size_t tap = 0; tap < kTaps; ++tap) {
        dense_(features_.data() + (kSecondReach - 2 * tap) * channels, channels, n, channels,
               e.second.data() + tap * channels * channels, channels, outputs_.data(), channels);
    }
    for (std::size_t i = 0; i < n * channels; ++i) {
        outputs_[i] = std::max(outputs_[i], 0.0f) + features[i];
    }
    for (std::size_t r = 0; r < n; ++r) pool(outputs_.data() + r * channels);
    std::memmove(vectors_.data(), vectors_.data() + n * width, kFirstReach * width * 4);
    std::memmove(features_.data(), features_.data() + n * channels, kSecondReach * channels * 4);
    waiting_ = 0;
}

void EncoderState::Pool::add(const float* row, std::size_t channels) {
    if (count++ == 0) {
        std::copy(row, row + channels, highest.begin());
        std::copy(row, row + channels, sum.begin());
        return;
    }
    for (std::size_t c = 0; c < channels; ++c) {
        highest[c] = std::max(highest[c], row[c]);
        sum[c] += row[c];
    }
}

void EncoderState::pool(const float* row) {
    const std::size_t window = encoder_->window;
    if (older_.count == window) {
        const auto closed = score(older_);
        for (std::size_t h = 0; h < heads_; ++h) {
            highest_[h] = closed_any_ ? std::max(highest_[h], closed[h]) : closed[h];
        }
        closed_any_ = true;
        older_ = newer_;
        newer_.count = 0;
    }
    older_.add(row, encoder_->channels);
    if (older_.count > window / 2) newer_.add(row, encoder_->channels);
    ++count_;
}

std::array<float, kMaxHeads> EncoderState::score(const Pool& pool) const {
    const Encoder& e = *encoder_;
    std::array<float, 2 * kMaxChannels> pooled;
    const float count = static_cast<float>(pool.count);
    for (std::size_t c = 0; c < e.channels; ++c) {
        pooled[c] = pool.highest[c];
        pooled[e.channels + c] = pool.sum[c] / count;
    }
    std::array<float, kMaxChannels> hidden;
    std::copy(e.third_bias.begin(), e.third_bias.end(), hidden.begin());
    dense_(pooled.data(), 0, 1, 2 * e.channels, e.third.data(), e.hidden, hidden.data(), 0);
    std::array<float, kMaxHeads> logits{};
    for (std::size_t h = 0; h < heads_; ++h) {
        logits[h] = e.last_bias[h];
        for (std::size_t i = 0; i < e.hidden; ++i) {
            const float product = std::max(hidden[i], 0.0f) * e.last[i * heads_ + h];
            logits[h] += product;
        }
    }
    return logits;
}

std::array<float, kMaxHeads> EncoderState::logits() const {
    if (older_.count == 0) return {};
    auto open = score(older_);
    for (std::size_t h = 0; closed_any_ && h < heads_; ++h)
        open[h] = std::max(open[h], highest_[h]);
    return open;
}

std::size_t EncoderState::windows() const {
    const std::size_t half = encoder_->window / 2;
    return count_ <= encoder_->window ? 1 : 1 + (count_ - encoder_->window + half - 1) / half;
}

}  // namespace edgeward::safety
