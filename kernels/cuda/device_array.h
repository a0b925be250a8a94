// Arrays in device memory that Python hands over, and what they must be.
//
// Knows: DLPack capsules (https://dmlc.github.io/dlpack), __cuda_array_interface__ version 3.
// Does not know: what the numbers are.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

namespace edgeward::cuda {

// A view; `owner` keeps the memory alive.
struct DeviceArray {
    const void* data = nullptr;
    std::string
        type;  // "float32", "float16", "bfloat16", "int32", "uint32", or the code as it came
    std::vector<std::int64_t> shape, strides;  // in elements
    int device = -1;                           // -1: not said
    pybind11::object owner;
};

// Whether the object speaks one of the two protocols.
bool is_device_array(const pybind11::object& object);

// Asks for the array such that work queued on `stream` sees its contents. Throws
// std::invalid_argument that begins with `name` when it is not in the memory of a CUDA device.
DeviceArray device_array(const pybind11::object& object, const char* name, std::uintptr_t stream);

// Throws std::invalid_argument unless the array has one of `types`, `rows` x `columns` elements and
// rows without gaps; whether rows may lie apart is `apart`. Returns the distance of rows.
std::uint64_t require_rows(const DeviceArray& array, const char* name,
                           const std::vector<std::string>& types, std::size_t rows,
                           std::size_t columns, bool apart);

}  // namespace edgeward::cuda
