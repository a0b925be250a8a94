// What a NumPy array must be before a kernel may read it through a pointer.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgeward::bindings {

// Throws std::invalid_argument unless `array` has this element type and shape, lies in C order
// without gaps and is aligned; the message says what it is and what it must be.
template <typename T>
void require_array(const pybind11::array& array, const char* name,
                   const std::vector<std::size_t>& shape) {
    namespace py = pybind11;
    bool right = py::isinstance<py::array_t<T>>(array) &&
                 static_cast<std::size_t>(array.ndim()) == shape.size() &&
                 reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0 &&
                 (array.flags() & py::array::c_style) != 0;
    for (std::size_t i = 0; right && i < shape.size(); ++i) {
        right = static_cast<std::size_t>(array.shape(static_cast<py::ssize_t>(i))) == shape[i];
    }
    if (right) return;
    const auto shown = [](const py::object& value) { return py::str(value).cast<std::string>(); };
    py::tuple wanted(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) wanted[i] = shape[i];
    throw std::invalid_argument(std::string(name) + " is an array of " + shown(array.dtype()) +
                                " of shape " + shown(array.attr("shape")) + " and strides " +
                                shown(array.attr("strides")) +
                                "; it must be a contiguous, aligned " + shown(py::dtype::of<T>()) +
                                " array of shape " + shown(wanted));
}

}  // namespace edgeward::bindings
