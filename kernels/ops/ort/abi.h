// The part of ONNX Runtime's C ABI that a custom operator needs, declared anew: its wheels bring no
// headers.
//
// Knows: the order and signatures of functions that every ONNX Runtime since 1.20 has, the layout
// of OrtCustomOp. Does not know: our operators.
//
// ONNX Runtime appends to its table of functions and never moves an entry; the numbers below are
// places in it. They hold for versions 1.20 to 1.31 (tools/ort_matrix.py runs three of them).
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgeward::ops::ort {

struct OrtStatus;
struct OrtValue;
struct OrtSessionOptions;
struct OrtCustomOpDomain;
struct OrtKernelInfo;
struct OrtKernelContext;
struct OrtTensorTypeAndShapeInfo;
struct OrtShapeInferContext;

// What GetApi(20) gives: a table of function pointers.
struct OrtApi;

struct OrtApiBase {
    const OrtApi* (*get_api)(std::uint32_t version);
    const char* (*get_version_string)();
};

// The API version we are written for: the oldest that has all we use and that we test.
constexpr std::uint32_t kApiVersion = 20;

enum class ElementType : int {
    kUndefined = 0,
    kFloat = 1,
    kUint8 = 2,
    kInt32 = 6,
    kInt64 = 7,
    kFloat16 = 10,
};

enum class ErrorCode : int { kFail = 1, kInvalidArgument = 2, kRuntimeException = 6 };

enum class Characteristic : int { kRequired = 0, kOptional = 1, kVariadic = 2 };

// A place in the table and what stands there.
template <std::size_t Slot, typename Function>
struct Entry;
template <std::size_t Slot, typename Result, typename... Arguments>
struct Entry<Slot, Result(Arguments...)> {
    using Function = Result (*)(Arguments...);
    const OrtApi* api;
    Result operator()(Arguments... arguments) const {
        return reinterpret_cast<Function const*>(api)[Slot](arguments...);
    }
};

using CreateStatus = Entry<0, OrtStatus*(int code, const char* message)>;
using GetErrorMessage = Entry<2, const char*(const OrtStatus*)>;
using CreateCustomOpDomain = Entry<26, OrtStatus*(const char* name, OrtCustomOpDomain** out)>;
struct OrtCustomOp;
using CustomOpDomainAdd = Entry<27, OrtStatus*(OrtCustomOpDomain*, const OrtCustomOp*)>;
using AddCustomOpDomain = Entry<28, OrtStatus*(OrtSessionOptions*, OrtCustomOpDomain*)>;
using GetTensorMutableData = Entry<51, OrtStatus*(OrtValue*, void** out)>;
using GetTensorElementType = Entry<60, OrtStatus*(const OrtTensorTypeAndShapeInfo*, int* out)>;
using GetDimensionsCount =
    Entry<61, OrtStatus*(const OrtTensorTypeAndShapeInfo*, std::size_t* out)>;
using GetDimensions =
    Entry<62, OrtStatus*(const OrtTensorTypeAndShapeInfo*, std::int64_t* out, std::size_t count)>;
using GetTensorTypeAndShape =
    Entry<65, OrtStatus*(const OrtValue*, OrtTensorTypeAndShapeInfo** out)>;
using KernelInfoGetAttributeFloat =
    Entry<85, OrtStatus*(const OrtKernelInfo*, const char* name, float* out)>;
using KernelInfoGetAttributeInt64 =
    Entry<86, OrtStatus*(const OrtKernelInfo*, const char* name, std::int64_t* out)>;
// `size` counts the terminating zero; with a null `out` it is only set.
using KernelInfoGetAttributeString =
    Entry<87, OrtStatus*(const OrtKernelInfo*, const char* name, char* out, std::size_t* size)>;
using KernelContextGetInput =
    Entry<90, OrtStatus*(const OrtKernelContext*, std::size_t index, const OrtValue** out)>;
using KernelContextGetOutput =
    Entry<91, OrtStatus*(OrtKernelContext*, std::size_t index, const std::int64_t* dimensions,
                         std::size_t count, OrtValue** out)>;
using ReleaseStatus = Entry<93, void(OrtStatus*)>;
using ReleaseTensorTypeAndShapeInfo = Entry<99, void(OrtTensorTypeAndShapeInfo*)>;
using KernelInfoGetInputCount = Entry<230, OrtStatus*(const OrtKernelInfo*, std::size_t* out)>;
using KernelInfoGetConstantInputTensor =
    Entry<249, OrtStatus*(const OrtKernelInfo*, std::size_t index, int* is_constant,
                          const OrtValue** out)>;

// What an operator tells of itself, as of API version 20. Members in the order of the ABI.
struct OrtCustomOp {
    std::uint32_t version;
    void* (*create_kernel)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*);
    const char* (*get_name)(const OrtCustomOp*);
    const char* (*get_execution_provider_type)(const OrtCustomOp*);
    ElementType (*get_input_type)(const OrtCustomOp*, std::size_t index);
    std::size_t (*get_input_type_count)(const OrtCustomOp*);
    ElementType (*get_output_type)(const OrtCustomOp*, std::size_t index);
    std::size_t (*get_output_type_count)(const OrtCustomOp*);
    void (*kernel_compute)(void* kernel, OrtKernelContext*);
    void (*kernel_destroy)(void* kernel);
    Characteristic (*get_input_characteristic)(const OrtCustomOp*, std::size_t index);
    Characteristic (*get_output_characteristic)(const OrtCustomOp*, std::size_t index);
    int (*get_input_memory_type)(const OrtCustomOp*, std::size_t index);
    int (*get_variadic_input_min_arity)(const OrtCustomOp*);
    int (*get_variadic_input_homogeneity)(const OrtCustomOp*);
    int (*get_variadic_output_min_arity)(const OrtCustomOp*);
    int (*get_variadic_output_homogeneity)(const OrtCustomOp*);
    OrtStatus* (*create_kernel_v2)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*,
                                   void** kernel);
    OrtStatus* (*kernel_compute_v2)(void* kernel, OrtKernelContext*);
    OrtStatus* (*infer_output_shape)(const OrtCustomOp*, OrtShapeInferContext*);
    int (*get_start_version)(const OrtCustomOp*);
    int (*get_end_version)(const OrtCustomOp*);
    std::size_t (*get_may_inplace)(int** inputs, int** outputs);
    void (*release_may_inplace)(int* inputs, int* outputs);
    std::size_t (*get_alias_map)(int** inputs, int** outputs);
    void (*release_alias_map)(int* inputs, int* outputs);
};
static_assert(sizeof(void*) != 8 || sizeof(OrtCustomOp) == 26 * 8);

}  // namespace edgeward::ops::ort
