#include "safety/scorer.h"

#include <cmath>

#include "tokenizer/utf8.h"

namespace edgeward::safety {

TextState::TextState(const Model& model, Isa isa)
    : model_(&model), linear_(model.linear, model.heads.size()) {
    if (model.has_encoder()) encoder_.emplace(model.encoder, model.heads.size(), isa);
}

void TextState::push(std::string_view text) {
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p < end) {
        const Decoded next = utf8_decode(p);
        p += next.length;
        cutter_.push(next.code, [this](const Word& word) { take(word); });
    }
}

void TextState::take(const Word& word) {
    empty_ = false;
    const std::uint32_t hash = word_hash(word);
    pairs_.add(word, hash, [this](std::uint32_t feature) { linear_.add(feature); });
    if (encoder_) encoder_->add(word, hash);
}

void TextState::end_word() {
    cutter_.flush([this](const Word& word) { take(word); });
    if (encoder_) encoder_->settle();
}

Scores TextState::scores() const {
    TextState ended(*this);
    return ended.finish();
}

Scores TextState::finish() {
    end_word();
    return settled_scores();
}

Scores TextState::settled_scores() const {
    Scores scores{};
    if (empty_) return scores;
    Scores encoded{};
    double length = 0;
    if (encoder_) {
        encoded = encoder_->logits();
        length = std::log2(static_cast<double>(encoder_->windows()));
    }
    for (std::size_t h = 0; h < model_->heads.size(); ++h) {
        const Calibration& c = model_->heads[h].calibration;
        const double logit = double{c.by_linear} * linear_.logit(h) +
                             double{c.by_encoder} * encoded[h] + c.by_length * length + c.bias;
        // A model of absurd weights can overflow: what is no number counts as unsafe.
        scores[h] = std::isnan(logit) ? 1.0f : static_cast<float>(1.0 / (1.0 + std::exp(-logit)));
    }
    return scores;
}

Scores score_text(const Model& model, std::string_view text, Isa isa) {
    TextState state(model, isa);
    state.push(text);
    return state.finish();
}

}  // namespace edgeward::safety
