#include "ops/ort/api.h"

namespace edgeward::ops::ort {
namespace {

std::size_t element_bytes(ElementType type) {
    switch (type) {
        case ElementType::kUint8:
            return 1;
        case ElementType::kFloat16:
            return 2;
        case ElementType::kFloat:
        case ElementType::kInt32:
            return 4;
        case ElementType::kInt64:
            return 8;
        case ElementType::kUndefined:
            break;
    }
    throw std::invalid_argument("a tensor has element type " +
                                std::to_string(static_cast<int>(type)) +
                                ", which no input of this operator takes");
}

}  // namespace

std::size_t Tensor::count() const {
    std::size_t product = 1;
    for (const std::int64_t dimension : shape) product *= static_cast<std::size_t>(dimension);
    return product;
}

std::size_t Tensor::bytes() const { return count() * element_bytes(type); }

OrtStatus* Api::status(const char* message) const noexcept {
    return CreateStatus{table_}(static_cast<int>(ErrorCode::kFail), message);
}

float Api::attribute_float(const OrtKernelInfo* info, const char* name) const {
    float value = 0;
    check(KernelInfoGetAttributeFloat{table_}(info, name, &value));
    return value;
}

std::int64_t Api::attribute_int(const OrtKernelInfo* info, const char* name) const {
    std::int64_t value = 0;
    check(KernelInfoGetAttributeInt64{table_}(info, name, &value));
    return value;
}

std::int64_t Api::attribute_int(const OrtKernelInfo* info, const char* name,
                                std::int64_t otherwise) const noexcept {
    std::int64_t value = 0;
    OrtStatus* missing = KernelInfoGetAttributeInt64{table_}(info, name, &value);
    if (missing == nullptr) return value;
    ReleaseStatus{table_}(missing);
    return otherwise;
}

std::string Api::attribute_string(const OrtKernelInfo* info, const char* name) const {
    std::size_t size = 0;
    check(KernelInfoGetAttributeString{table_}(info, name, nullptr, &size));
    std::string value(size, '\0');
    check(KernelInfoGetAttributeString{table_}(info, name, value.data(), &size));
    value.resize(size == 0 ? 0 : size - 1);
    return value;
}

std::size_t Api::input_count(const OrtKernelInfo* info) const {
    std::size_t count = 0;
    check(KernelInfoGetInputCount{table_}(info, &count));
    return count;
}

Tensor Api::constant_input(const OrtKernelInfo* info, std::size_t index) const {
    int constant = 0;
    const OrtValue* value = nullptr;
    check(KernelInfoGetConstantInputTensor{table_}(info, index, &constant, &value));
    if (constant == 0 || value == nullptr) {
        throw std::invalid_argument("input " + std::to_string(index) +
                                    " is no constant of the graph; weights must be initializers");
    }
    return describe(value);
}

Tensor Api::input(const OrtKernelContext* context, std::size_t index) const {
    const OrtValue* value = nullptr;
    check(KernelContextGetInput{table_}(context, index, &value));
    if (value == nullptr) {
        throw std::invalid_argument("input " + std::to_string(index) + " is missing");
    }
    return describe(value);
}

void* Api::output(OrtKernelContext* context, std::size_t index,
                  const std::vector<std::int64_t>& shape) const {
    OrtValue* value = nullptr;
    check(KernelContextGetOutput{table_}(context, index, shape.data(), shape.size(), &value));
    void* data = nullptr;
    if (value != nullptr) check(GetTensorMutableData{table_}(value, &data));
    return data;
}

OrtCustomOpDomain* Api::make_domain(const char* name, const OrtCustomOp& op) const {
    OrtCustomOpDomain* domain = nullptr;
    check(CreateCustomOpDomain{table_}(name, &domain));
    check(CustomOpDomainAdd{table_}(domain, &op));
    return domain;
}

OrtStatus* Api::add_domain(OrtSessionOptions* options, OrtCustomOpDomain* domain) const noexcept {
    return AddCustomOpDomain{table_}(options, domain);
}

void Api::check(OrtStatus* status) const {
    if (status == nullptr) return;
    const std::string message = GetErrorMessage{table_}(status);
    ReleaseStatus{table_}(status);
    throw std::runtime_error(message);
}

Tensor Api::describe(const OrtValue* value) const {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    check(GetTensorTypeAndShape{table_}(value, &info));
    Tensor tensor;
    std::size_t rank = 0;
    int type = 0;
    OrtStatus* failed = GetTensorElementType{table_}(info, &type);
    if (failed == nullptr) failed = GetDimensionsCount{table_}(info, &rank);
    if (failed == nullptr) {
        tensor.shape.resize(rank);
        failed = GetDimensions{table_}(info, tensor.shape.data(), rank);
    }
    ReleaseTensorTypeAndShapeInfo{table_}(info);
    check(failed);
    tensor.type = static_cast<ElementType>(type);
    // The function takes a mutable value and changes nothing.
    check(GetTensorMutableData{table_}(const_cast<OrtValue*>(value), &tensor.data));
    return tensor;
}

}  // namespace edgeward::ops::ort
