// What the operator library exports: the entry that ONNX Runtime calls, and a few C functions for
// the runtime beside it.
//
// Knows: versions, callbacks, that no exception may pass a C function. Does not know: decoders.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>

#include "ops/ort/kernel.h"

#define EDGEWARD_EXPORT extern "C" __attribute__((visibility("default")))

namespace edgeward::ops::ort {
namespace {

Api g_api;

// What `work` throws becomes a status; null when it does not.
template <typename Work>
OrtStatus* guarded(const Work& work) noexcept {
    try {
        work();
        return nullptr;
    } catch (const std::exception& error) {
        return g_api.status(error.what());
    } catch (...) {
        return g_api.status("an unknown exception in the fused operator");
    }
}

ElementType input_type(const OrtCustomOp*, std::size_t index) {
    switch (index) {
        case kIds:
        case kControl:
            return ElementType::kInt64;
        case kStarts:
        case kPositions:
        case kSlots:
        case kWanted:
            return ElementType::kInt32;
        case kPast:
            return ElementType::kFloat16;
        default:
            return ElementType::kUndefined;  // weights: packed bytes or floats
    }
}

OrtCustomOp describe() {
    OrtCustomOp op{};
    op.version = kApiVersion;
    op.get_name = [](const OrtCustomOp*) { return "Decoder"; };
    op.get_execution_provider_type = [](const OrtCustomOp*) -> const char* { return nullptr; };
    op.get_input_type = input_type;
    op.get_input_type_count = [](const OrtCustomOp*) -> std::size_t { return kInputs + 1; };
    op.get_output_type = [](const OrtCustomOp*, std::size_t index) {
        return index == kLogits ? ElementType::kFloat : ElementType::kFloat16;
    };
    op.get_output_type_count = [](const OrtCustomOp*) -> std::size_t { return kOutputs; };
    op.kernel_destroy = [](void* kernel) { delete static_cast<DecoderKernel*>(kernel); };
    op.get_input_characteristic = [](const OrtCustomOp*, std::size_t index) {
        return index < kInputs ? Characteristic::kRequired : Characteristic::kVariadic;
    };
    op.get_output_characteristic = [](const OrtCustomOp*, std::size_t) {
        return Characteristic::kRequired;
    };
    op.get_input_memory_type = [](const OrtCustomOp*, std::size_t) { return 0; };
    op.get_variadic_input_min_arity = [](const OrtCustomOp*) { return 1; };
    op.get_variadic_input_homogeneity = [](const OrtCustomOp*) { return 0; };
    op.create_kernel_v2 = [](const OrtCustomOp*, const OrtApi*, const OrtKernelInfo* info,
                             void** kernel) {
        return guarded([&] { *kernel = new DecoderKernel(g_api, info); });
    };
    op.kernel_compute_v2 = [](void* kernel, OrtKernelContext* context) {
        return guarded([&] { static_cast<const DecoderKernel*>(kernel)->compute(context); });
    };
    return op;
}

// One domain for all sessions of the process; it must outlive them.
OrtCustomOpDomain* domain() {
    static const OrtCustomOp op = describe();
    static OrtCustomOpDomain* const made = g_api.make_domain("edgeward", op);
    return made;
}

// Writes `text` into a buffer of the caller, cut to its size.
void say(const char* text, char* out, std::size_t size) {
    if (size != 0) std::snprintf(out, size, "%s", text);
}

}  // namespace
}  // namespace edgeward::ops::ort

using namespace edgeward::ops;
using namespace edgeward::ops::ort;

// ONNX Runtime calls this by name for a library given to register_custom_ops_library.
EDGEWARD_EXPORT OrtStatus* RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
    static std::mutex once;
    const std::lock_guard lock(once);
    const OrtApi* table = base->get_api(kApiVersion);
    if (table == nullptr) {
        const std::string said = std::string("ONNX Runtime ") + base->get_version_string() +
                                 " is older than 1.20, which the fused operators need";
        return Api(base->get_api(1)).status(said.c_str());
    }
    // Written once: kernels of other threads may read it from then on.
    static const bool first = [&] {
        g_api = Api(table);
        return true;
    }();
    if (!first || !g_api.is(table)) {
        return Api(table).status("two ONNX Runtimes of one process cannot share this library");
    }
    OrtCustomOpDomain* made = nullptr;
    if (OrtStatus* failed = guarded([&] { made = domain(); })) return failed;
    return g_api.add_domain(options, made);
}

// A team of `threads`, which spin `spin_us` microseconds before they sleep; returns its number, or
// 0 and the reason in `error`.
EDGEWARD_EXPORT std::int64_t edgeward_team_open(std::int32_t threads, std::int32_t spin_us,
                                                std::int32_t pin, char* error, std::size_t size) {
    try {
        TeamOptions options;
        options.threads = threads < 0 ? 0 : static_cast<std::size_t>(threads);
        options.spin_us = spin_us < 0 ? 0 : static_cast<std::size_t>(spin_us);
        options.pin = pin != 0;
        return runners().add(std::make_shared<Runner>(options));
    } catch (const std::exception& failed) {
        say(failed.what(), error, size);
        return 0;
    }
}

// Calls that run keep the team until they are done.
EDGEWARD_EXPORT void edgeward_team_close(std::int64_t number) { runners().remove(number); }

// Bytes that the team's calls work in; 0 for an unknown one.
EDGEWARD_EXPORT std::int64_t edgeward_team_memory(std::int64_t number) {
    const std::shared_ptr<Runner> runner = runners().find(number);
    if (runner == nullptr) return 0;
    const std::lock_guard turn(runner->turn);
    return static_cast<std::int64_t>(runner->workspace.size());
}

// A flag that stops the runs that were given its number; 0 when there is no memory.
EDGEWARD_EXPORT std::int64_t edgeward_stop_open() {
    try {
        return stop_flags().add(std::make_shared<std::atomic<bool>>(false));
    } catch (const std::exception&) {
        return 0;
    }
}

// Sets it: runs end with an error at the next look, within milliseconds. An unknown number:
// nothing.
EDGEWARD_EXPORT void edgeward_stop_set(std::int64_t number) {
    const std::shared_ptr<std::atomic<bool>> flag = stop_flags().find(number);
    if (flag != nullptr) flag->store(true, std::memory_order_relaxed);
}

EDGEWARD_EXPORT void edgeward_stop_close(std::int64_t number) { stop_flags().remove(number); }

// The instruction set that the operators of this library run with.
EDGEWARD_EXPORT const char* edgeward_isa() {
    try {
        return edgeward::isa_name(edgeward::active_isa());
    } catch (const std::exception&) {  // EDGEWARD_ISA names none: the runtime refused it at import
        return "";
    }
}
