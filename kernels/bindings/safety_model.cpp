// The safety scorers for Python: a model from its file's bytes, texts in, probabilities out.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <mutex>
#include <stdexcept>

#include "bindings/bindings.h"
#include "bindings/text.h"
#include "safety/alternatives.h"
#include "safety/normalize.h"
#include "safety/scorer.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using safety::Level;
using safety::Model;
using safety::Scores;
using SharedModel = std::shared_ptr<const Model>;

py::array_t<float> as_array(const Scores& scores, std::size_t heads) {
    py::array_t<float> array(static_cast<py::ssize_t>(heads));
    std::copy(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(heads),
              array.mutable_data());
    return array;
}

// One text that grows. Calls from several threads take turns.
class Stream {
 public:
    explicit Stream(SharedModel model) : model_(std::move(model)), state_(*model_, active_isa()) {}

    py::array_t<float> push(const py::object& object) {
        Text text(object);
        Scores scores;
        {
            py::gil_scoped_release release;
            const std::lock_guard lock(busy_);
            state_.push(text.valid());
            scores = state_.scores();
        }
        return as_array(scores, model_->heads.size());
    }

 private:
    SharedModel model_;
    safety::TextState state_;
    std::mutex busy_;
};

class SafetyModel {
 public:
    explicit SafetyModel(std::string_view bytes)
        : model_(std::make_shared<const Model>(safety::read_model(bytes))) {}

    std::vector<std::string> heads() const {
        std::vector<std::string> names;
        for (const auto& head : model_->heads) names.push_back(head.name);
        return names;
    }

    py::array_t<float> score(const py::object& object) const {
        Text text(object);
        Scores scores;
        {
            py::gil_scoped_release release;
            scores = safety::score_text(*model_, text.valid(), active_isa());
        }
        return as_array(scores, model_->heads.size());
    }

    // The scores of what the text means: normalized, or what it hides in an encoding.
    py::tuple score_meaning(const py::object& object) const {
        Text text(object);
        const std::size_t heads = model_->heads.size();
        Scores scores;
        std::vector<int> sources(heads, -1);
        {
            py::gil_scoped_release release;
            const std::string_view valid = text.valid();
            scores =
                safety::score_text(*model_, safety::normalize(valid, false).bytes, active_isa());
            const auto others = safety::alternatives(valid);
            for (std::size_t i = 0; i < others.size(); ++i) {
                const Scores other = safety::score_text(*model_, others[i].text, active_isa());
                for (std::size_t head = 0; head < heads; ++head) {
                    if (other[head] <= scores[head]) continue;
                    scores[head] = other[head];
                    sources[head] = static_cast<int>(i);
                }
            }
        }
        return py::make_tuple(as_array(scores, heads), sources);
    }

    py::array_t<float> score_batch(const py::sequence& objects) const {
        std::vector<Text> texts;
        texts.reserve(objects.size());
        std::vector<py::object> owners;  // a sequence may make its items when asked
        for (const auto& object : objects) {
            owners.push_back(py::reinterpret_borrow<py::object>(object));
            texts.emplace_back(owners.back());
        }
        const std::size_t heads = model_->heads.size();
        py::array_t<float> array(std::vector<std::size_t>{texts.size(), heads});
        float* row = array.mutable_data();
        py::gil_scoped_release release;
        for (Text& text : texts) {
            const Scores scores = safety::score_text(*model_, text.valid(), active_isa());
            row =
                std::copy(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(heads), row);
        }
        return array;
    }

    float threshold(const std::string& head, const std::string& level) const {
        return at(head, level).probability;
    }

    float false_positive_rate(const std::string& head, const std::string& level) const {
        return at(head, level).false_positive_rate;
    }

    std::unique_ptr<Stream> stream() const { return std::make_unique<Stream>(model_); }

 private:
    const safety::Threshold& at(const std::string& name, const std::string& level) const {
        std::size_t which = 0;
        while (which < safety::kLevels && level != safety::kLevelNames[which]) ++which;
        if (which == safety::kLevels) {
            throw std::invalid_argument("level '" + level +
                                        "' is unknown; take strict, balanced or permissive");
        }
        std::string known;
        for (const auto& head : model_->heads) {
            if (head.name == name) return head.thresholds[which];
            known += (known.empty() ? "" : ", ") + head.name;
        }
        throw std::invalid_argument("head '" + name + "' is unknown; this model has " + known);
    }

    SharedModel model_;
};

template <typename T>
py::array_t<T> as_numbers(const std::vector<T>& values) {
    return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// What the scorers see of a text: the distinct features, and each word with its pieces.
py::tuple features_of(const py::object& object) {
    Text text(object);
    std::vector<std::uint32_t> features, words, pieces;
    std::vector<std::uint32_t> starts{0};
    {
        py::gil_scoped_release release;
        safety::WordPairs pairs;
        safety::WordCutter cutter;
        const auto take = [&](const safety::Word& word) {
            words.push_back(safety::word_hash(word));
            pairs.add(word, words.back(), [&](std::uint32_t hash) { features.push_back(hash); });
            if (!word.sign) {
                safety::for_each_piece(word, [&](std::uint32_t hash) { pieces.push_back(hash); });
            }
            starts.push_back(static_cast<std::uint32_t>(pieces.size()));
        };
        const std::string_view valid = text.valid();
        for (const char* p = valid.data(); p < valid.data() + valid.size();) {
            const Decoded next = utf8_decode(p);
            p += next.length;
            cutter.push(next.code, take);
        }
        cutter.flush(take);
    }
    return py::make_tuple(as_numbers(features), as_numbers(words), as_numbers(starts),
                          as_numbers(pieces));
}

}  // namespace

void register_safety_model(py::module_& m) {
    using namespace py::literals;
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<Stream>(m, "SafetyStream", py::is_final(), plain,
                       "A text that grows, scored as it does.")
        .def("push", &Stream::push, "text"_a);
    py::class_<SafetyModel>(m, "SafetyModel", py::is_final(), plain,
                            "Calibrated probabilities that a text is unsafe. Immutable.")
        .def_static(
            "from_bytes",
            [](const py::bytes& bytes) {
                const std::string_view view = bytes;
                py::gil_scoped_release release;
                return std::make_unique<SafetyModel>(view);
            },
            "bytes"_a)
        .def_property_readonly("heads", &SafetyModel::heads)
        .def("score", &SafetyModel::score, "text"_a)
        .def("score_meaning", &SafetyModel::score_meaning, "text"_a)
        .def("score_batch", &SafetyModel::score_batch, "texts"_a)
        .def("threshold", &SafetyModel::threshold, "head"_a, "level"_a)
        .def("false_positive_rate", &SafetyModel::false_positive_rate, "head"_a, "level"_a)
        .def("stream", &SafetyModel::stream);
    m.def("safety_features", &features_of, "text"_a);
}

}  // namespace edgeward::bindings
