// ONNX Runtime's C functions with exceptions instead of statuses.
//
// Knows: how to call them and who releases what. Does not know: our operators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/ort/abi.h"

namespace edgeward::ops::ort {

// A tensor as it lies in memory; borrowed.
struct Tensor {
    ElementType type = ElementType::kUndefined;
    std::vector<std::int64_t> shape;
    void* data = nullptr;

    // Product of the dimensions.
    std::size_t count() const;
    // The bytes; throws std::invalid_argument for an element type that we do not use.
    std::size_t bytes() const;
};

class Api {
 public:
    Api() = default;
    explicit Api(const OrtApi* table) : table_(table) {}

    bool is(const OrtApi* table) const { return table_ == table; }

    // A failure that the caller hands to ONNX Runtime, which releases it.
    OrtStatus* status(const char* message) const noexcept;

    // All throw std::runtime_error with ONNX Runtime's message when it reports one.
    float attribute_float(const OrtKernelInfo* info, const char* name) const;
    std::int64_t attribute_int(const OrtKernelInfo* info, const char* name) const;
    // `otherwise` where the node has no such attribute: graphs of earlier versions.
    std::int64_t attribute_int(const OrtKernelInfo* info, const char* name,
                               std::int64_t otherwise) const noexcept;
    std::string attribute_string(const OrtKernelInfo* info, const char* name) const;
    std::size_t input_count(const OrtKernelInfo* info) const;
    // Throws std::invalid_argument where the input is no constant of the graph.
    Tensor constant_input(const OrtKernelInfo* info, std::size_t index) const;

    Tensor input(const OrtKernelContext* context, std::size_t index) const;
    // The output of that shape; its memory is the caller's buffer where one is bound.
    void* output(OrtKernelContext* context, std::size_t index,
                 const std::vector<std::int64_t>& shape) const;

    OrtCustomOpDomain* make_domain(const char* name, const OrtCustomOp& op) const;
    OrtStatus* add_domain(OrtSessionOptions* options, OrtCustomOpDomain* domain) const noexcept;

 private:
    void check(OrtStatus* status) const;
    Tensor describe(const OrtValue* value) const;

    const OrtApi* table_ = nullptr;
};

}  // namespace edgeward::ops::ort
