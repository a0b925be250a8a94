// Kernels that find places in a text: personal data, and phrases. Places are characters.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/text.h"
#include "safety/phrases.h"
#include "safety/pii.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using Place = std::tuple<std::string, uint32_t, uint32_t>;
using Match = std::tuple<uint32_t, uint32_t, uint32_t>;

std::vector<Place> find_pii(const py::object& object) {
    Text text(object);
    py::gil_scoped_release release;
    const std::string_view valid = text.valid();
    std::vector<Place> places;
    uint32_t byte = 0;
    uint32_t character = 0;
    const auto count_to = [&](uint32_t to) {
        character += static_cast<uint32_t>(utf8_count(valid.substr(byte, to - byte)));
        byte = to;
        return character;
    };
    for (const safety::PiiFound& found : safety::find_pii(valid)) {
        const uint32_t begin = count_to(found.span.begin);
        places.emplace_back(safety::name_of(found.kind), begin, count_to(found.span.end));
    }
    return places;
}

size_t pii_settled(const py::object& object) {
    Text text(object);
    py::gil_scoped_release release;
    const std::string_view valid = text.valid();
    return utf8_count(valid.substr(0, safety::pii_settled(valid)));
}

std::vector<Match> as_tuples(const std::vector<safety::Phrases::Match>& found) {
    std::vector<Match> matches;
    matches.reserve(found.size());
    for (const auto& match : found) matches.emplace_back(match.phrase, match.begin, match.end);
    return matches;
}

class Phrases {
 public:
    Phrases(const std::vector<std::string>& block, const std::vector<std::string>& allow,
            bool whole_words) {
        py::gil_scoped_release release;
        phrases_ = std::make_shared<const safety::Phrases>(block, allow, whole_words);
    }
    size_t longest() const { return phrases_->longest(); }
    safety::PhraseStream stream() const { return safety::PhraseStream(phrases_); }
    std::vector<Match> find(const py::object& object) const {
        Text text(object);
        py::gil_scoped_release release;
        std::vector<safety::Phrases::Match> found;
        safety::PhraseStream whole(phrases_);
        whole.push(text.valid(), found);
        whole.finish(found);
        return as_tuples(found);
    }

 private:
    std::shared_ptr<const safety::Phrases> phrases_;
};

}  // namespace

void register_safety_places(py::module_& m) {
    using namespace py::literals;
    using safety::PhraseStream;
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    m.def("find_pii", &find_pii, "text"_a);
    m.def("pii_settled", &pii_settled, "text"_a);
    m.def("pii_kinds", [] {
        std::vector<std::string> names;
        for (std::size_t kind = 0; kind < safety::kPiiKinds; ++kind) {
            names.emplace_back(safety::name_of(static_cast<safety::Pii>(kind)));
        }
        return py::tuple(py::cast(names));
    });
    py::class_<PhraseStream>(m, "PhraseStream", py::is_final(), plain,
                             "Phrases in a text that comes in parts. One thread at a time.")
        .def(
            "push",
            [](PhraseStream& self, const py::object& object) {
                Text text(object);
                py::gil_scoped_release release;
                std::vector<safety::Phrases::Match> found;
                self.push(text.valid(), found);
                return as_tuples(found);
            },
            "text"_a)
        .def("finish",
             [](PhraseStream& self) {
                 py::gil_scoped_release release;
                 std::vector<safety::Phrases::Match> found;
                 self.finish(found);
                 return as_tuples(found);
             })
        .def_property_readonly("settled", &PhraseStream::settled);
    py::class_<Phrases>(m, "Phrases", py::is_final(), plain,
                        "Phrases to object to, and phrases that excuse them. Immutable.")
        .def(py::init<const std::vector<std::string>&, const std::vector<std::string>&, bool>(),
             "block"_a, "allow"_a = std::vector<std::string>(), "whole_words"_a = true)
        .def_property_readonly("longest", &Phrases::longest)
        .def("find", &Phrases::find, "text"_a)
        .def("stream", &Phrases::stream);
}

}  // namespace edgeward::bindings
