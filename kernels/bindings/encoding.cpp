// encode_full for Python: all that a model is given for a text or a pair, as one object.
#include "tokenizer/encoding.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "bindings/bindings.h"
#include "bindings/text.h"
#include "tokenizer/tokenizer.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

FullEncoding encode_full(const Tokenizer& self, py::handle text, py::handle pair,
                         bool add_special_tokens) {
    Text first(text);
    std::optional<Text> second;
    if (!pair.is_none()) second.emplace(pair);
    py::gil_scoped_release release;
    std::optional<std::string_view> other;
    if (second) other = second->valid();
    return self.encode_full(first.valid(), other, add_special_tokens);
}

// -1 is None.
py::list numbers_or_none(const std::vector<int32_t>& values) {
    py::list list(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
        list[i] = values[i] < 0 ? py::object(py::none()) : py::object(py::int_(values[i]));
    }
    return list;
}

}  // namespace

void register_encoding(py::module_& m) {
    using namespace py::literals;
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<FullEncoding>(m, "Encoding", py::is_final(), plain,
                             "A text or a pair as a model is given it. Lists are made when asked.")
        .def_property_readonly("ids", [](const FullEncoding& e) { return e.ids; })
        .def_property_readonly("offsets", [](const FullEncoding& e) { return e.offsets; })
        .def_property_readonly("type_ids", [](const FullEncoding& e) { return e.type_ids; })
        .def_property_readonly(
            "sequence_ids", [](const FullEncoding& e) { return numbers_or_none(e.sequence_ids()); })
        .def_property_readonly("word_ids",
                               [](const FullEncoding& e) { return numbers_or_none(e.words); })
        .def_property_readonly("special_tokens_mask",
                               [](const FullEncoding& e) { return e.special_mask; })
        .def_property_readonly("attention_mask",
                               [](const FullEncoding& e) { return e.attention_mask; })
        .def_property_readonly("overflowing", [](const FullEncoding& e) { return e.overflowing; })
        .def("__len__", &FullEncoding::size);
    m.def("encode_full", &encode_full, "tokenizer"_a, "text"_a, "pair"_a = py::none(),
          "add_special_tokens"_a = true);
}

}  // namespace edgeward::bindings
