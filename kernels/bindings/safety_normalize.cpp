// The normalizer of safety checks: a whole text, or one that comes in parts.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/text.h"
#include "safety/alternatives.h"
#include "safety/normalize.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

// Origins by character of the normalized text, and one for its end.
std::vector<int32_t> offsets_of(const safety::Text& text) {
    std::vector<int32_t> offsets;
    offsets.reserve(text.origins.size());
    for (size_t i = 0; i < text.bytes.size(); ++i) {
        if (!is_continuation(text.bytes[i])) {
            offsets.push_back(static_cast<int32_t>(text.origins[i]));
        }
    }
    offsets.push_back(static_cast<int32_t>(text.origins.back()));
    return offsets;
}

// A vector as an array that owns it.
py::array_t<int32_t> as_array(std::vector<int32_t>&& values) {
    auto owned = std::make_unique<std::vector<int32_t>>(std::move(values));
    const auto* data = owned->data();
    const auto size = static_cast<py::ssize_t>(owned->size());
    const py::capsule owner(owned.release(),
                            [](void* p) { delete static_cast<std::vector<int32_t>*>(p); });
    py::array_t<int32_t> array(size, data, owner);
    py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return array;
}

py::tuple normalize_text(const py::object& object) {
    Text text(object);
    safety::Text normal;
    std::vector<int32_t> offsets;
    std::vector<safety::Alternative> others;
    {
        py::gil_scoped_release release;
        const std::string_view valid = text.valid();
        normal = safety::normalize(valid);
        offsets = offsets_of(normal);
        others = safety::alternatives(valid);
    }
    py::list listed;
    for (const safety::Alternative& other : others) {
        listed.append(py::make_tuple(safety::name_of(other.encoding), py::str(other.text),
                                     other.span.begin, other.span.end));
    }
    return py::make_tuple(py::str(normal.bytes), as_array(std::move(offsets)), listed);
}

// A text that comes in parts.
class NormalizeStream {
 public:
    std::string push(const py::object& object) {
        Text text(object);
        safety::Text out;
        py::gil_scoped_release release;
        normalizer_.push(text.valid(), out);
        return std::move(out.bytes);
    }
    // What `finish` would give now.
    std::string pending() const {
        safety::Normalizer copy(normalizer_);
        safety::Text out;
        copy.finish(out);
        return std::move(out.bytes);
    }
    std::string finish() {
        safety::Text out;
        normalizer_.finish(out);
        return std::move(out.bytes);
    }

 private:
    safety::Normalizer normalizer_;
};

}  // namespace

void register_safety_normalize(py::module_& m) {
    using namespace py::literals;
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    m.def("safety_normalize", &normalize_text, "text"_a);
    py::class_<NormalizeStream>(m, "NormalizeStream", py::is_final(), plain,
                                "Normalizes a text that comes in parts. One thread at a time.")
        .def(py::init<>())
        .def("push", &NormalizeStream::push, "text"_a)
        .def("pending", &NormalizeStream::pending)
        .def("finish", &NormalizeStream::finish);
}

}  // namespace edgeward::bindings
