#include "safety/scorer.h"

#include <cmath>

#include "tokenizer/utf8.h"

namespace edgeward::safety {

namespace {

float probability(double logit) {
    // A model of absurd weights can overflow: what is no number counts as unsafe.
    return std::isnan(logit) ? 1.0f : static_cast<float>(1.0 / (1.0 + std::exp(-logit)));
}

float without_encoder(const Alone& alone, float linear) {
    return probability(double{alone.by_linear} * linear + alone.bias);
}

Scores without_encoder(const std::vector<Head>& heads, const LinearState& linear) {
    Scores scores{};
    for (std::size_t h = 0; h < heads.size(); ++h) {
        scores[h] = without_encoder(heads[h].alone, linear.logit(h));
    }
    return scores;
}

// `encoder` is settled, or null for a model that has none.
Scores combined(const std::vector<Head>& heads, const LinearState& linear,
                const EncoderState* encoder) {
    Scores encoded{}, scores{};
    std::size_t windows = 1;
    if (encoder != nullptr) {
        encoded = encoder->logits();
        windows = encoder->windows();
    }
    const double length = std::log2(static_cast<double>(windows));
    for (std::size_t h = 0; h < heads.size(); ++h) {
        const float line = linear.logit(h);
        const Calibration& c = heads[h].calibration;
        if (windows == 1 && line < heads[h].alone.from) {
            scores[h] = without_encoder(heads[h].alone, line);
        } else {
            scores[h] = probability(double{c.by_linear} * line + double{c.by_encoder} * encoded[h] +
                                    c.by_length * length + c.bias);
        }
    }
    return scores;
}

template <typename Take>
void cut(WordCutter& cutter, std::string_view text, Take&& take) {
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p < end) {
        const Decoded next = utf8_decode(p);
        p += next.length;
        cutter.push(next.code, take);
    }
}

}  // namespace

TextState::TextState(const Model& model, Isa isa)
    : model_(&model), linear_(model.linear, model.heads.size()) {
    if (model.has_encoder()) encoder_.emplace(model.encoder, model.heads.size(), isa);
}

void TextState::push(std::string_view text) {
    cut(cutter_, text, [this](const Word& word) { take(word); });
}

void TextState::take(const Word& word) {
    empty_ = false;
    const std::uint32_t hash = word_hash(word);
    pairs_.add(word, hash, [this](std::uint32_t feature) { linear_.add(feature); });
    if (encoder_) encoder_->add(word, hash);
}

Scores TextState::scores() const {
    TextState ended(*this);
    return ended.finish();
}

Scores TextState::finish() {
    cutter_.flush([this](const Word& word) { take(word); });
    if (empty_) return {};
    if (encoder_) encoder_->settle();
    return combined(model_->heads, linear_, encoder_ ? &*encoder_ : nullptr);
}

// Two passes: most texts end after the first.
Scores score_text(const Model& model, std::string_view text, Isa isa) {
    LinearState linear(model.linear, model.heads.size());
    WordPairs pairs;
    std::size_t words = 0;
    const auto first = [&](const Word& word) {
        ++words;
        pairs.add(word, word_hash(word), [&](std::uint32_t feature) { linear.add(feature); });
    };
    WordCutter cutter;
    cut(cutter, text, first);
    cutter.flush(first);
    if (words == 0) return {};
    if (!model.has_encoder()) return combined(model.heads, linear, nullptr);
    if (words <= model.encoder.window && linear.enough(model.heads)) {
        return without_encoder(model.heads, linear);
    }
    EncoderState encoder(model.encoder, model.heads.size(), isa);
    const auto second = [&](const Word& word) { encoder.add(word, word_hash(word)); };
    WordCutter again;
    cut(again, text, second);
    again.flush(second);
    encoder.settle();
    return combined(model.heads, linear, &encoder);
}

}  // namespace edgeward::safety
