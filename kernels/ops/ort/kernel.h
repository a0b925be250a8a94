// The operator `edgeward.Decoder` as ONNX Runtime sees it: attributes, inputs, outputs.
//
// Knows: names and order of attributes and inputs, what is checked when. Does not know: how a
// decoder computes.
#pragma once

#include <memory>

#include "ops/decoder/decoder.h"
#include "ops/ort/api.h"
#include "ops/ort/runner.h"

namespace edgeward::ops::ort {

// Inputs in front of the weights; docs/fused.md has their types and shapes.
enum Input : std::size_t { kIds, kStarts, kPositions, kSlots, kWanted, kControl, kPast, kInputs };
enum Output : std::size_t { kLogits, kPresent, kOutputs };

// One node of a session. Read-only after construction: many calls may run it at once.
class DecoderKernel {
 public:
    // Reads attributes and constant weights. Throws std::exception with the reason where this
    // operator cannot run them.
    DecoderKernel(const Api& api, const OrtKernelInfo* info);

    // Throws std::exception for inputs that do not fit together, and when it was stopped.
    void compute(OrtKernelContext* context) const;

 private:
    struct Call;
    void cache_of(OrtKernelContext* context, Call& call) const;
    void sequences_of(const OrtKernelContext* context, Call& call) const;
    std::shared_ptr<Runner> runner_for(std::int64_t number) const;

    const Api& api_;
    std::unique_ptr<Decoder> decoder_;
    std::shared_ptr<Runner> alone_;  // for callers without a team: the calling thread
};

}  // namespace edgeward::ops::ort
