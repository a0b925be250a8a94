// Text to calibrated probabilities, one a head; all at once or piece by piece.
//
// Knows: words, the linear and the encoder state, calibration. Does not know: thresholds' meaning,
// normalization, Python. Linear time and constant memory in the length of the text.
//
// A short text that the linear scorer finds harmless in all heads is not shown to the encoder
// (Alone in model.h). Whether the text came as a whole or in pieces makes no difference to any bit.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "safety/encoder_state.h"
#include "safety/features.h"
#include "safety/linear_state.h"
#include "safety/model.h"

namespace edgeward::safety {

using Scores = std::array<float, kMaxHeads>;

// Everything a text has left behind so far. Copying it costs about 30 KB.
class TextState {
 public:
    TextState(const Model& model, Isa isa);

    void push(std::string_view valid_utf8);

    // Of all text so far, as if it ended here; more may follow.
    Scores scores() const;
    // The same, when nothing follows.
    Scores finish();

 private:
    void take(const Word& word);

    const Model* model_;
    WordCutter cutter_;
    WordPairs pairs_;
    LinearState linear_;
    std::optional<EncoderState> encoder_;
    bool empty_ = true;
};

// The probabilities of `valid_utf8`; all 0 for a text without words.
Scores score_text(const Model& model, std::string_view valid_utf8, Isa isa);

}  // namespace edgeward::safety
