// The module edgeward.kernels._cuda: arrays in device memory in, draws out.
//
// Converts, frees the GIL, translates errors; decides nothing. Built with EDGEWARD_CUDA=1 only.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/device.h"
#include "cuda/device_array.h"

namespace py = pybind11;

namespace edgeward::cuda {
namespace {

std::uint32_t type_code(const std::string& name) {
    return name == "float32"   ? EDGEWARD_FLOAT32
           : name == "float16" ? EDGEWARD_FLOAT16
                               : EDGEWARD_BFLOAT16;
}

class PyDevice {
 public:
    PyDevice(std::int64_t vocabulary, std::int64_t rows, bool copies, int device)
        : device_(device, narrowed(rows), narrowed(vocabulary), copies) {}

    // `plan` is what StepPlan wrote for `rows` rows; the answer is for settle_step().
    py::array_t<std::uint8_t> sample(const py::array_t<std::uint8_t, py::array::c_style>& plan,
                                     std::uint32_t rows, std::uint32_t flags,
                                     const py::object& logits, const py::object& allowed,
                                     std::uintptr_t stream) {
        if (in_use_.test_and_set(std::memory_order_acquire)) {
            throw std::runtime_error("this device sampler is in use by another thread");
        }
        const Release guard{in_use_};
        if (rows == 0) return py::array_t<std::uint8_t>(0);
        if (rows > device_.rows()) {
            throw std::invalid_argument("the step has " + std::to_string(rows) +
                                        " rows; this device sampler was made for " +
                                        std::to_string(device_.rows()));
        }
        const auto plan_bytes = static_cast<std::size_t>(plan.size());
        if (plan_bytes < rows * sizeof(edgeward_row)) {
            throw std::invalid_argument("the plan has " + std::to_string(plan_bytes) + " bytes; " +
                                        std::to_string(rows) + " rows need " +
                                        std::to_string(rows * sizeof(edgeward_row)));
        }
        edgeward_step step{};
        step.rows = rows;
        step.flags = flags;
        step.vocabulary = device_.vocabulary();
        const DeviceArray values = device_array(logits, "logits", stream);
        require_here(values, "logits");
        step.stride = require_rows(values, "logits", {"float32", "float16", "bfloat16"}, rows,
                                   device_.vocabulary(), true);
        step.logits = values.data;
        step.type = type_code(values.type);
        const std::size_t words = (device_.vocabulary() + std::size_t{31}) / 32;
        std::size_t mask_bytes = 0;
        DeviceArray masks;
        if (!allowed.is_none()) {
            if (is_device_array(allowed)) {
                masks = device_array(allowed, "allowed", stream);
                require_here(masks, "allowed");
                require_rows(masks, "allowed", {"int32", "uint32"}, rows, words, false);
                step.allowed = static_cast<const std::uint32_t*>(masks.data);
            } else {
                mask_bytes = stage_masks(allowed, rows, words);
            }
        }
        std::memcpy(device_.plan(plan_bytes), plan.data(), plan_bytes);
        const edgeward_draw* draws;
        {
            const py::gil_scoped_release release;
            draws =
                device_.run(step, plan_bytes, mask_bytes, reinterpret_cast<cudaStream_t>(stream));
        }
        py::array_t<std::uint8_t> answer(static_cast<py::ssize_t>(rows * sizeof(edgeward_draw)));
        std::memcpy(answer.mutable_data(), draws, rows * sizeof(edgeward_draw));
        return answer;
    }

    std::uint32_t max_rows() const { return device_.rows(); }
    std::uint32_t vocabulary() const { return device_.vocabulary(); }
    int device() const { return device_.device(); }

 private:
    struct Release {
        std::atomic_flag& flag;
        ~Release() { flag.clear(std::memory_order_release); }
    };

    static std::uint32_t narrowed(std::int64_t value) {
        return value < 0 || value > 0xffffffff ? 0 : static_cast<std::uint32_t>(value);
    }

    void require_here(const DeviceArray& array, const char* name) const {
        if (array.device < 0 || array.device == device_.device()) return;
        throw std::invalid_argument(std::string(name) + " is on CUDA device " +
                                    std::to_string(array.device) + "; this sampler is on " +
                                    std::to_string(device_.device()));
    }

    std::size_t stage_masks(const py::object& allowed, std::size_t rows, std::size_t words) {
        const auto array = py::array::ensure(allowed);
        const bool right = array && py::isinstance<py::array_t<std::uint32_t>>(array) &&
                           (array.flags() & py::array::c_style) != 0 && array.ndim() == 2 &&
                           static_cast<std::size_t>(array.shape(0)) == rows &&
                           static_cast<std::size_t>(array.shape(1)) == words;
        if (!right) {
            PyErr_Clear();
            throw std::invalid_argument("allowed must be a contiguous uint32 array of shape (" +
                                        std::to_string(rows) + ", " + std::to_string(words) + ")");
        }
        const std::size_t bytes = rows * words * sizeof(std::uint32_t);
        std::memcpy(device_.masks(bytes), array.data(), bytes);
        return bytes;
    }

    Device device_;
    std::atomic_flag in_use_;
};

py::dict status() {
    py::dict said;
    int driver = 0, runtime = 0, count = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    const cudaError_t code = cudaGetDeviceCount(&count);
    said["driver"] = driver;  // the newest CUDA it can run, 1000 * major + 10 * minor; 0: no driver
    said["runtime"] = runtime;
    std::vector<std::string> names;
    for (int i = 0; code == cudaSuccess && i < count; ++i) {
        cudaDeviceProp properties{};
        require(cudaGetDeviceProperties(&properties, i), "asking what a CUDA device is");
        names.emplace_back(properties.name);
    }
    said["devices"] = names;
    said["problem"] = code == cudaSuccess ? py::object(py::none())
                                          : py::object(py::str(cudaGetErrorString(code)));
    return said;
}

}  // namespace
}  // namespace edgeward::cuda

PYBIND11_MODULE(_cuda, m) {
    using edgeward::cuda::PyDevice;
    m.doc() = "CUDA kernels of Edgeward; use them through edgeward.kernels.on_device.";
    if (edgeward_cuda_abi() != EDGEWARD_CUDA_ABI) {
        throw py::import_error("edgeward.kernels._cuda was linked from parts that do not fit");
    }
    const auto plain = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<PyDevice>(m, "Device", py::is_final(), plain)
        .def(py::init<std::int64_t, std::int64_t, bool, int>(), py::arg("vocab_size"),
             py::arg("max_rows"), py::kw_only(), py::arg("copies") = true, py::arg("device") = 0)
        .def_property_readonly("max_rows", &PyDevice::max_rows)
        .def_property_readonly("vocab_size", &PyDevice::vocabulary)
        .def_property_readonly("device", &PyDevice::device)
        .def("sample", &PyDevice::sample, py::arg("plan"), py::kw_only(), py::arg("rows"),
             py::arg("flags"), py::arg("logits"), py::arg("allowed") = py::none(),
             py::arg("stream") = 0);
    m.def("status", &edgeward::cuda::status);
}
