// The pre-tokenizers of a file alone, so that each cutter can be held against its automaton.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "bindings/bindings.h"
#include "tokenizer/json.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/utf8.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

class Splitter {
 public:
    Splitter(std::string_view json_text, bool known_splits) {
        const json::Document document(json_text);
        stages_ = make_pre_tokenizers(document.root(), known_splits);
    }

    // Pieces as half-open ranges of bytes; what stages write in the place of bytes is not shown.
    std::vector<std::pair<uint32_t, uint32_t>> cut(std::string_view text) const {
        if (utf8_valid_prefix(text) != text.size()) {
            throw std::invalid_argument("the text is not valid UTF-8");
        }
        std::vector<std::pair<uint32_t, uint32_t>> spans;
        if (text.empty()) return spans;
        Pieces pieces(text, {0, static_cast<uint32_t>(text.size())});
        stages_.apply(pieces);
        for (Span piece : pieces.pieces()) {
            spans.emplace_back(pieces.origin(piece.begin).begin, pieces.origin(piece.end - 1).end);
        }
        return spans;
    }

 private:
    PreTokenizers stages_;
};

}  // namespace

void register_splitter(py::module_& m) {
    using namespace py::literals;
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<Splitter>(m, "Splitter", py::is_final(), plain,
                         "The pre_tokenizer member of a tokenizer.json, as JSON. Immutable.")
        .def(py::init([](const py::bytes& json, bool known_splits) {
                 return std::make_unique<Splitter>(std::string_view(json), known_splits);
             }),
             "json"_a, "known_splits"_a = true)
        .def(
            "cut",
            [](const Splitter& self, const py::bytes& text) {
                const std::string_view bytes = text;
                py::gil_scoped_release release;
                return self.cut(bytes);
            },
            "text"_a);
}

}  // namespace edgeward::bindings
