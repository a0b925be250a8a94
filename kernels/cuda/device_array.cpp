#include "cuda/device_array.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <stdexcept>

namespace py = pybind11;

namespace edgeward::cuda {
namespace {

// The stable part of DLPack's layout, versions 0 and 1.
struct Tensor {
    void* data;
    std::int32_t device_type, device_id;
    std::int32_t dimensions;
    std::uint8_t code, bits;
    std::uint16_t lanes;
    const std::int64_t* shape;
    const std::int64_t* strides;  // null: in C order without gaps
    std::uint64_t byte_offset;
};
struct Managed {
    Tensor tensor;
    void* context;
    void (*deleter)(Managed*);
};
struct ManagedVersioned {
    std::uint32_t major, minor;
    void* context;
    void (*deleter)(ManagedVersioned*);
    std::uint64_t flags;
    Tensor tensor;
};

constexpr std::int32_t kCuda = 2, kCudaManaged = 13;

std::string type_name(std::uint8_t code, std::uint8_t bits, std::uint16_t lanes) {
    if (lanes == 1) {
        if (code == 2 && (bits == 32 || bits == 16)) return "float" + std::to_string(bits);
        if (code == 4 && bits == 16) return "bfloat16";
        if (code == 0 && bits == 32) return "int32";
        if (code == 1 && bits == 32) return "uint32";
    }
    return "DLPack type " + std::to_string(code) + " of " + std::to_string(bits) + " bits";
}

DeviceArray from_tensor(const Tensor& tensor, const char* name) {
    if (tensor.device_type != kCuda && tensor.device_type != kCudaManaged) {
        throw std::invalid_argument(std::string(name) + " is on DLPack device type " +
                                    std::to_string(tensor.device_type) +
                                    "; it must be in the memory of a CUDA device (type 2)");
    }
    DeviceArray array;
    array.data = static_cast<const unsigned char*>(tensor.data) + tensor.byte_offset;
    array.device = tensor.device_id;
    array.type = type_name(tensor.code, tensor.bits, tensor.lanes);
    const auto n = static_cast<std::size_t>(std::max(tensor.dimensions, 0));
    array.shape.assign(tensor.shape, tensor.shape + n);
    if (tensor.strides != nullptr) {
        array.strides.assign(tensor.strides, tensor.strides + n);
    } else {
        array.strides.resize(n);
        std::int64_t step = 1;
        for (std::size_t i = n; i-- > 0; step *= array.shape[i]) array.strides[i] = step;
    }
    return array;
}

DeviceArray from_capsule(const py::object& object, const char* name, std::uintptr_t stream) {
    // 1 is the legacy default stream in this protocol, 0 is forbidden.
    const std::uintptr_t asked = stream == 0 ? 1 : stream;
    const auto device = object.attr("__dlpack_device__")().cast<std::pair<int, int>>();
    const py::object capsule = device.first == kCuda || device.first == kCudaManaged
                                   ? object.attr("__dlpack__")(py::arg("stream") = asked)
                                   : object.attr("__dlpack__")();
    PyObject* raw = capsule.ptr();
    DeviceArray array;
    // The capsule is left as it is, so its own destructor frees it when `owner` goes.
    if (PyCapsule_IsValid(raw, "dltensor") != 0) {
        array =
            from_tensor(static_cast<Managed*>(PyCapsule_GetPointer(raw, "dltensor"))->tensor, name);
    } else if (PyCapsule_IsValid(raw, "dltensor_versioned") != 0) {
        const auto* managed =
            static_cast<ManagedVersioned*>(PyCapsule_GetPointer(raw, "dltensor_versioned"));
        if (managed->major != 1) {
            throw std::invalid_argument(std::string(name) + " comes as DLPack " +
                                        std::to_string(managed->major) +
                                        "; versions 0 and 1 are understood");
        }
        array = from_tensor(managed->tensor, name);
    } else {
        throw std::invalid_argument(std::string(name) + ".__dlpack__() gave no DLPack capsule");
    }
    array.owner = capsule;
    return array;
}

DeviceArray from_interface(const py::object& object, const char* name, std::uintptr_t stream) {
    const auto said = object.attr("__cuda_array_interface__").cast<py::dict>();
    DeviceArray array;
    array.owner = object;
    const auto type = said["typestr"].cast<std::string>();
    array.type = type == "<f4"   ? "float32"
                 : type == "<f2" ? "float16"
                 : type == "<i4" ? "int32"
                 : type == "<u4" ? "uint32"
                                 : type;
    const auto data = said["data"].cast<py::tuple>();
    array.data = reinterpret_cast<const void*>(data[0].cast<std::uintptr_t>());
    for (const py::handle extent : said["shape"].cast<py::tuple>()) {
        array.shape.push_back(extent.cast<std::int64_t>());
    }
    array.strides.resize(array.shape.size());
    std::int64_t step = 1;
    for (std::size_t i = array.shape.size(); i-- > 0; step *= array.shape[i]) {
        array.strides[i] = step;
    }
    if (said.contains("strides") && !said["strides"].is_none()) {
        const auto strides = said["strides"].cast<std::vector<std::int64_t>>();
        const std::int64_t size = type == "<f2" ? 2 : 4;
        if (strides.size() != array.shape.size()) {
            throw std::invalid_argument(std::string(name) + " has " +
                                        std::to_string(strides.size()) + " strides for " +
                                        std::to_string(array.shape.size()) + " dimensions");
        }
        for (std::size_t i = 0; i < strides.size(); ++i) {
            // A stride that is no whole number of elements fails every check below.
            array.strides[i] = strides[i] % size == 0 ? strides[i] / size : -1;
        }
    }
    // Its producer may still be writing on a stream of its own.
    if (said.contains("stream") && !said["stream"].is_none()) {
        const auto theirs = said["stream"].cast<std::uintptr_t>();
        if (theirs != stream) {
            const py::gil_scoped_release release;
            const cudaError_t waited =
                cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(theirs));
            if (waited != cudaSuccess) throw std::runtime_error(cudaGetErrorString(waited));
        }
    }
    return array;
}

std::string shown(const std::vector<std::int64_t>& numbers) {
    std::string text = "(";
    for (const std::int64_t n : numbers) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
    return text + ")";
}

}  // namespace

bool is_device_array(const py::object& object) {
    return py::hasattr(object, "__cuda_array_interface__") ||
           (py::hasattr(object, "__dlpack__") &&
            object.attr("__dlpack_device__")().cast<std::pair<int, int>>().first != 1);
}

DeviceArray device_array(const py::object& object, const char* name, std::uintptr_t stream) {
    if (py::hasattr(object, "__dlpack__")) return from_capsule(object, name, stream);
    if (py::hasattr(object, "__cuda_array_interface__")) {
        return from_interface(object, name, stream);
    }
    throw std::invalid_argument(std::string(name) + " is a " +
                                py::str(py::type::of(object).attr("__name__")).cast<std::string>() +
                                "; it must have __dlpack__ or __cuda_array_interface__");
}

std::uint64_t require_rows(const DeviceArray& array, const char* name,
                           const std::vector<std::string>& types, std::size_t rows,
                           std::size_t columns, bool apart) {
    const auto width = static_cast<std::int64_t>(columns);
    const bool type = std::find(types.begin(), types.end(), array.type) != types.end();
    const bool shape = array.shape.size() == 2 &&
                       array.shape[0] == static_cast<std::int64_t>(rows) && array.shape[1] == width;
    // One row has no distance to the next, whatever the stride says.
    const bool dense = shape && (array.strides[1] == 1 || width == 1);
    const bool placed =
        dense && (rows == 1 || array.strides[0] == width || (apart && array.strides[0] > width));
    if (type && placed && array.data != nullptr) {
        return rows == 1 ? columns : static_cast<std::uint64_t>(array.strides[0]);
    }
    std::string wanted;
    for (const std::string& one : types) wanted += (wanted.empty() ? "" : " or ") + one;
    throw std::invalid_argument(std::string(name) + " is an array of " + array.type + " of shape " +
                                shown(array.shape) + " and strides " + shown(array.strides) +
                                "; it must be of " + wanted + ", of shape (" +
                                std::to_string(rows) + ", " + std::to_string(columns) + ")" +
                                (apart ? " with rows without gaps" : " without gaps"));
}

}  // namespace edgeward::cuda
