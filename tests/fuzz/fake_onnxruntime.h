// As much of ONNX Runtime's C functions as a custom operator calls, over plain vectors: sanitizers
// can then see the whole of the operator library's binding, which they cannot see of a wheel.
//
// Knows: the places in the table (ops/ort/abi.h), who releases what; counts what is not released.
// Does not know: decoders.
#pragma once

#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "ops/ort/abi.h"

namespace edgeward::ops::ort {

struct OrtStatus {
    std::string message;
};
struct OrtTensorTypeAndShapeInfo {
    ElementType type;
    std::vector<std::int64_t> shape;
};
// A tensor over memory of the test's.
struct OrtValue {
    ElementType type = ElementType::kUndefined;
    std::vector<std::int64_t> shape;
    void* data = nullptr;
};
struct OrtKernelInfo {
    std::map<std::string, float> floats;
    std::map<std::string, std::int64_t> integers;
    std::map<std::string, std::string> strings;
    std::vector<OrtValue> inputs;  // constants have data
};
struct OrtKernelContext {
    std::vector<OrtValue> inputs, outputs;
};
struct OrtCustomOpDomain {
    const OrtCustomOp* op = nullptr;
};
struct OrtSessionOptions {
    const OrtCustomOpDomain* domain = nullptr;
};
struct OrtApi {
    void* functions[300];
};

namespace fake {

inline std::atomic<long> g_open{0};  // statuses and shapes that nobody has released

inline OrtStatus* failure(const std::string& message) {
    ++g_open;
    return new OrtStatus{message};
}

template <typename Table, typename T>
OrtStatus* look_up(const Table& table, const char* name, T* out) {
    const auto found = table.find(name);
    if (found == table.end()) return failure(std::string("no attribute ") + name);
    *out = found->second;
    return nullptr;
}

// A function must have the signature that abi.h declares for its place.
template <std::size_t Slot, typename R, typename... A>
void put(OrtApi& api, Entry<Slot, R(A...)>, R (*function)(A...)) {
    api.functions[Slot] = reinterpret_cast<void*>(function);
}

inline OrtApi make_api() {
    OrtApi api{};
    const auto at = [&](auto entry, auto function) {
        put(api, entry, static_cast<typename decltype(entry)::Function>(function));
    };
    at(CreateStatus{nullptr}, [](int, const char* message) { return failure(message); });
    at(GetErrorMessage{nullptr}, [](const OrtStatus* s) { return s->message.c_str(); });
    at(ReleaseStatus{nullptr}, [](OrtStatus* s) {
        --g_open;
        delete s;
    });
    at(CreateCustomOpDomain{nullptr}, [](const char*, OrtCustomOpDomain** out) -> OrtStatus* {
        *out = new OrtCustomOpDomain;
        return nullptr;
    });
    at(CustomOpDomainAdd{nullptr},
       [](OrtCustomOpDomain* domain, const OrtCustomOp* op) -> OrtStatus* {
           domain->op = op;
           return nullptr;
       });
    at(AddCustomOpDomain{nullptr},
       [](OrtSessionOptions* options, OrtCustomOpDomain* domain) -> OrtStatus* {
           options->domain = domain;
           return nullptr;
       });
    at(GetTensorMutableData{nullptr}, [](OrtValue* value, void** out) -> OrtStatus* {
        *out = value->data;
        return nullptr;
    });
    at(GetTensorTypeAndShape{nullptr},
       [](const OrtValue* value, OrtTensorTypeAndShapeInfo** out) -> OrtStatus* {
           ++g_open;
           *out = new OrtTensorTypeAndShapeInfo{value->type, value->shape};
           return nullptr;
       });
    at(ReleaseTensorTypeAndShapeInfo{nullptr}, [](OrtTensorTypeAndShapeInfo* info) {
        --g_open;
        delete info;
    });
    at(GetTensorElementType{nullptr},
       [](const OrtTensorTypeAndShapeInfo* info, int* out) -> OrtStatus* {
           *out = static_cast<int>(info->type);
           return nullptr;
       });
    at(GetDimensionsCount{nullptr},
       [](const OrtTensorTypeAndShapeInfo* info, std::size_t* out) -> OrtStatus* {
           *out = info->shape.size();
           return nullptr;
       });
    at(GetDimensions{nullptr},
       [](const OrtTensorTypeAndShapeInfo* info, std::int64_t* out, std::size_t n) -> OrtStatus* {
           std::memcpy(out, info->shape.data(), n * sizeof *out);
           return nullptr;
       });
    at(KernelInfoGetAttributeFloat{nullptr},
       [](const OrtKernelInfo* info, const char* name, float* out) {
           return look_up(info->floats, name, out);
       });
    at(KernelInfoGetAttributeInt64{nullptr},
       [](const OrtKernelInfo* info, const char* name, std::int64_t* out) {
           return look_up(info->integers, name, out);
       });
    at(KernelInfoGetAttributeString{nullptr},
       [](const OrtKernelInfo* info, const char* name, char* out, std::size_t* size) -> OrtStatus* {
           std::string found;
           if (OrtStatus* failed = look_up(info->strings, name, &found)) return failed;
           if (out != nullptr) std::memcpy(out, found.c_str(), found.size() + 1);
           *size = found.size() + 1;
           return nullptr;
       });
    at(KernelInfoGetInputCount{nullptr},
       [](const OrtKernelInfo* info, std::size_t* out) -> OrtStatus* {
           *out = info->inputs.size();
           return nullptr;
       });
    at(KernelInfoGetConstantInputTensor{nullptr},
       [](const OrtKernelInfo* info, std::size_t i, int* constant,
          const OrtValue** out) -> OrtStatus* {
           *constant = info->inputs.at(i).data != nullptr;
           *out = &info->inputs.at(i);
           return nullptr;
       });
    at(KernelContextGetInput{nullptr},
       [](const OrtKernelContext* context, std::size_t i, const OrtValue** out) -> OrtStatus* {
           *out = &context->inputs.at(i);
           return nullptr;
       });
    at(KernelContextGetOutput{nullptr},
       [](OrtKernelContext* context, std::size_t i, const std::int64_t* shape, std::size_t n,
          OrtValue** out) -> OrtStatus* {
           OrtValue& value = context->outputs.at(i);
           if (value.shape != std::vector<std::int64_t>(shape, shape + n)) {
               return failure("an output has another shape than its buffer");
           }
           *out = &value;
           return nullptr;
       });
    return api;
}

// What a library given to register_custom_ops_library sees.
inline const OrtApiBase& base() {
    static const OrtApi api = make_api();
    static const OrtApiBase made = {
        [](std::uint32_t version) -> const OrtApi* { return version == 20 ? &api : nullptr; },
        [] { return "1.20.0"; }};
    return made;
}

}  // namespace fake
}  // namespace edgeward::ops::ort
