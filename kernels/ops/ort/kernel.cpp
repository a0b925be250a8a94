#include "ops/ort/kernel.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>

namespace edgeward::ops::ort {
namespace {

std::size_t size_attribute(const Api& api, const OrtKernelInfo* info, const char* name) {
    const std::int64_t value = api.attribute_int(info, name);
    if (value < 0) {
        throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                    "; it cannot be below zero");
    }
    return static_cast<std::size_t>(value);
}

DecoderShape shape_from(const Api& api, const OrtKernelInfo* info) {
    const std::int64_t layout = api.attribute_int(info, "layout");
    if (layout != kDecoderLayout) {
        throw std::invalid_argument("the graph has layout " + std::to_string(layout) +
                                    ", this build runs layout " + std::to_string(kDecoderLayout) +
                                    "; make the pack anew");
    }
    const auto size = [&](const char* name) { return size_attribute(api, info, name); };
    DecoderShape shape;
    shape.hidden = size("hidden");
    shape.intermediate = size("intermediate");
    shape.heads = size("heads");
    shape.kv_heads = size("kv_heads");
    shape.head_dim = size("head_dim");
    shape.vocabulary = size("vocabulary");
    shape.rotated = size("rotated");
    shape.ropes = size("ropes");
    shape.context = size("context");
    shape.norms = static_cast<Norms>(size("norms"));
    shape.qk_norm = static_cast<QkNorm>(size("qk_norm"));
    shape.activation = static_cast<Activation>(size("activation"));
    shape.qkv_bias = size("qkv_bias") != 0;
    shape.output_bias = api.attribute_int(info, "output_bias", 0) != 0;
    shape.tied_head = size("tied_head") != 0;
    shape.epsilon = api.attribute_float(info, "epsilon");
    shape.attention_scale = api.attribute_float(info, "attention_scale");
    shape.attention_cap = api.attribute_float(info, "attention_cap");
    shape.logit_cap = api.attribute_float(info, "logit_cap");
    shape.embedding_scale = api.attribute_float(info, "embedding_scale");
    shape.embedding = format_named(api.attribute_string(info, "embedding"));
    shape.head = format_named(api.attribute_string(info, "head"));
    shape.layers = layers_from(api.attribute_string(info, "layers"));
    shape.check();
    return shape;
}

std::vector<Memory> weights_of(const Api& api, const OrtKernelInfo* info) {
    const std::size_t count = api.input_count(info);
    std::vector<Memory> weights;
    for (std::size_t i = kInputs; i < count; ++i) {
        const Tensor tensor = api.constant_input(info, i);
        weights.push_back({tensor.data, tensor.bytes(), tensor.type == ElementType::kFloat});
    }
    return weights;
}

void expect_rank(const char* name, const Tensor& tensor, ElementType type, std::size_t rank) {
    if (tensor.type == type && tensor.shape.size() == rank) return;
    throw std::invalid_argument(
        std::string(name) + " has element type " + std::to_string(static_cast<int>(tensor.type)) +
        " and rank " + std::to_string(tensor.shape.size()) + "; it takes " +
        std::to_string(static_cast<int>(type)) + " and " + std::to_string(rank));
}

[[noreturn]] void refuse(const std::string& what, std::int64_t value, const std::string& legal) {
    throw std::invalid_argument(what + " is " + std::to_string(value) + "; " + legal);
}

void within(const std::string& what, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return;
    refuse(what, value, "it must be " + std::to_string(least) + " to " + std::to_string(most));
}

std::int64_t now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

// By the whole team, or by the caller alone while other programs hold the cores.
bool run_piece(const Decoder& decoder, Runner& runner, const Piece& piece,
               const std::atomic<bool>* stop) {
    const std::int64_t began = now();
    if (runner.team.size() == 1 || runner.crowding.alone(began)) {
        return decoder.run(runner.single, runner.workspace, piece, stop);
    }
    std::int64_t waited = 0;
    const bool done = decoder.run(runner.team, runner.workspace, piece, stop, &waited);
    const std::int64_t ended = now();
    runner.crowding.report(ended, ended - began, waited);
    return done;
}

}  // namespace

struct DecoderKernel::Call {
    Batch batch;
    std::vector<std::uint8_t*> slots;
};

DecoderKernel::DecoderKernel(const Api& api, const OrtKernelInfo* info) : api_(api) {
    const DecoderShape shape = shape_from(api, info);
    const DecoderWeights weights = weights_from(shape, weights_of(api, info));
    decoder_ = std::make_unique<Decoder>(shape, weights, operators_for(active_isa()));
    alone_ = std::make_shared<Runner>(TeamOptions{});
}

void DecoderKernel::compute(OrtKernelContext* context) const {
    Call call;
    cache_of(context, call);
    sequences_of(context, call);
    const Tensor control = api_.input(context, kControl);
    expect_rank("control", control, ElementType::kInt64, 1);
    if (control.count() != 2) refuse("control's length", control.shape[0], "it takes 2 numbers");
    const auto* numbers = static_cast<const std::int64_t*>(control.data);
    const std::shared_ptr<Runner> runner = runner_for(numbers[0]);
    std::shared_ptr<std::atomic<bool>> stop;
    if (numbers[1] != 0) {
        stop = stop_flags().find(numbers[1]);
        if (stop == nullptr) refuse("the stop flag", numbers[1], "no such flag is open");
    }
    const std::size_t vocabulary = decoder_->shape().vocabulary;
    for (std::size_t first = 0; first < call.batch.tokens; first += kPieceTokens) {
        const std::size_t count = std::min(kPieceTokens, call.batch.tokens - first);
        const Piece piece = piece_of(call.batch, first, count, vocabulary);
        const std::lock_guard turn(runner->turn);
        if (!run_piece(*decoder_, *runner, piece, stop.get())) {
            throw std::runtime_error("the run was stopped by its caller");
        }
    }
}

void DecoderKernel::cache_of(OrtKernelContext* context, Call& call) const {
    const DecoderShape& shape = decoder_->shape();
    const Tensor past = api_.input(context, kPast);
    expect_rank("past", past, ElementType::kFloat16, 6);
    const auto signed_of = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    const std::int64_t context_length = past.shape[4];
    const std::vector<std::int64_t> wanted = {
        past.shape[0],  signed_of(shape.layers.size()), 2, signed_of(shape.kv_heads),
        context_length, signed_of(shape.head_dim)};
    if (past.shape != wanted || context_length % signed_of(kSegment) != 0) {
        throw std::invalid_argument(
            "past must be (slots, layers, 2, kv_heads, context, head_dim) of this model, context "
            "a multiple of " +
            std::to_string(kSegment));
    }
    auto* present = static_cast<std::uint8_t*>(api_.output(context, kPresent, past.shape));
    // Where input and output are not one buffer, the caller wants the past left as it is.
    if (present != past.data && past.bytes() != 0) std::memcpy(present, past.data, past.bytes());
    call.batch.cache_context = static_cast<std::size_t>(context_length);
    const std::size_t bytes = decoder_->cache_bytes(call.batch.cache_context);
    for (std::int64_t i = 0; i < past.shape[0]; ++i) {
        call.slots.push_back(present + static_cast<std::size_t>(i) * bytes);
    }
}

void DecoderKernel::sequences_of(const OrtKernelContext* context, Call& call) const {
    const DecoderShape& shape = decoder_->shape();
    const Tensor ids = api_.input(context, kIds), starts = api_.input(context, kStarts);
    const Tensor positions = api_.input(context, kPositions), slots = api_.input(context, kSlots);
    const Tensor wanted = api_.input(context, kWanted);
    expect_rank("input_ids", ids, ElementType::kInt64, 1);
    expect_rank("row_starts", starts, ElementType::kInt32, 1);
    expect_rank("positions", positions, ElementType::kInt32, 1);
    expect_rank("slots", slots, ElementType::kInt32, 1);
    expect_rank("wanted", wanted, ElementType::kInt32, 1);
    const std::int64_t tokens = ids.shape[0], rows = positions.shape[0];
    if (starts.shape[0] != rows + 1)
        refuse("row_starts' length", starts.shape[0], "one more than positions'");
    if (slots.shape[0] != rows) refuse("slots' length", slots.shape[0], "as many as positions");
    Batch& batch = call.batch;
    batch.ids = static_cast<const std::int64_t*>(ids.data);
    batch.tokens = static_cast<std::size_t>(tokens);
    for (std::int64_t i = 0; i < tokens; ++i) {
        within("token id", batch.ids[i], 0, static_cast<std::int64_t>(shape.vocabulary) - 1);
    }
    const auto* start = static_cast<const std::int32_t*>(starts.data);
    const auto* position = static_cast<const std::int32_t*>(positions.data);
    const auto* slot = static_cast<const std::int32_t*>(slots.data);
    const auto most = static_cast<std::int64_t>(std::min(shape.context, batch.cache_context));
    std::vector<bool> used(call.slots.size());
    within("row_starts[0]", start[0], 0, 0);
    within("the last of row_starts", start[rows], tokens, tokens);
    for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t count = std::int64_t{start[i + 1]} - start[i];
        within("a row's number of tokens", count, 1, tokens);
        within("a row's position", position[i], 0, most - count);
        within("a row's slot", slot[i], 0, static_cast<std::int64_t>(call.slots.size()) - 1);
        const auto own = static_cast<std::size_t>(slot[i]);
        if (used[own]) refuse("slot", slot[i], "two rows of a batch cannot share one");
        used[own] = true;
        batch.sequences.push_back({static_cast<std::size_t>(start[i]),
                                   static_cast<std::size_t>(count),
                                   static_cast<std::size_t>(position[i]), call.slots[own]});
    }
    batch.wanted = static_cast<const std::int32_t*>(wanted.data);
    batch.wanted_count = wanted.count();
    for (std::size_t i = 0; i < batch.wanted_count; ++i) {
        within("wanted", batch.wanted[i], i == 0 ? 0 : std::int64_t{batch.wanted[i - 1]} + 1,
               tokens - 1);
    }
    // ONNX Runtime's context is not changed by asking for an output.
    batch.logits = static_cast<float*>(api_.output(const_cast<OrtKernelContext*>(context), kLogits,
                                                   {static_cast<std::int64_t>(batch.wanted_count),
                                                    static_cast<std::int64_t>(shape.vocabulary)}));
}

std::shared_ptr<Runner> DecoderKernel::runner_for(std::int64_t number) const {
    if (number == 0) return alone_;
    std::shared_ptr<Runner> runner = runners().find(number);
    if (runner == nullptr) refuse("the team", number, "no such team is open");
    return runner;
}

}  // namespace edgeward::ops::ort
