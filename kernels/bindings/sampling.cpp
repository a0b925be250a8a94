#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/sampler_object.h"
#include "bindings/sampling_options.h"
#include "sampling/philox.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using sampling::Sampler;

std::unique_ptr<PySampler> make_sampler(std::int64_t vocab_size,
                                        const std::optional<std::string>& isa,
                                        const py::kwargs& settings) {
    return std::make_unique<PySampler>(sampler_options(vocab_size, settings), passes_named(isa));
}

// A list or an array of whole numbers, each a token of this vocabulary.
std::vector<std::uint32_t> ids_of(const py::object& sequence, std::int64_t vocab_size) {
    const auto array = py::array::ensure(sequence);
    if (!array) throw std::invalid_argument("ids are no list or array of whole numbers");
    const char kind = array.dtype().kind();
    if (array.ndim() != 1 || (array.size() > 0 && kind != 'i' && kind != 'u')) {
        throw std::invalid_argument("ids are an array of " +
                                    py::str(array.dtype()).cast<std::string>() + " with " +
                                    std::to_string(array.ndim()) +
                                    " dimensions; they must be whole numbers in one dimension");
    }
    const auto ids = py::array_t<std::int64_t, py::array::forcecast>::ensure(array);
    if (!ids) throw std::invalid_argument("ids do not fit 64 bits");
    const auto values = ids.unchecked<1>();
    std::vector<std::uint32_t> checked;
    checked.reserve(static_cast<std::size_t>(values.shape(0)));
    for (py::ssize_t i = 0; i < values.shape(0); ++i) {
        sampling::require_id("a prompt id", values(i), vocab_size);
        checked.push_back(static_cast<std::uint32_t>(values(i)));
    }
    return checked;
}

void observe_prompt(PySampler& self, const py::object& sequence) {
    const std::vector<std::uint32_t> ids = ids_of(sequence, self.vocab_size());
    const InUse guard(self.in_use);
    const py::gil_scoped_release release;
    for (const std::uint32_t id : ids) self.sampler.observe_prompt(id);
}

void observe(PySampler& self, std::int64_t id) {
    sampling::require_id("id", id, self.vocab_size());
    const InUse guard(self.in_use);
    self.sampler.observe(static_cast<std::uint32_t>(id));
}

// One row of logits as the sampler wants it: to write to where it would write and may.
struct Row {
    Sampler& sampler;
    const float* logits;
    float* writable;  // null: read only
    std::uint64_t position;
    const std::uint32_t* allowed;

    std::uint32_t sample() const {
        return writable != nullptr && sampler.writes()
                   ? sampler.sample(writable, position, allowed)
                   : sampler.sample_readonly(logits, position, allowed);
    }
};

float* writable_data(py::array& array) {
    return array.writeable() ? static_cast<float*>(array.mutable_data()) : nullptr;
}

std::uint32_t sample(PySampler& self, py::array logits, std::int64_t position,
                     const std::optional<py::array>& allowed) {
    require_array<float>(logits, "logits", {self.tokens()});
    if (allowed) require_array<std::uint32_t>(*allowed, "allowed", {self.mask_words()});
    const Row row{self.sampler, static_cast<const float*>(logits.data()), writable_data(logits),
                  checked_position(position),
                  allowed ? static_cast<const std::uint32_t*>(allowed->data()) : nullptr};
    const InUse guard(self.in_use);
    const py::gil_scoped_release release;
    return row.sample();
}

std::vector<Row> rows_of(const std::vector<PySampler*>& samplers, py::array& logits,
                         const std::vector<std::int64_t>& positions,
                         const std::optional<py::array>& allowed) {
    if (positions.size() != samplers.size()) {
        throw std::invalid_argument("positions has " + std::to_string(positions.size()) +
                                    " entries; it must have one for each of the " +
                                    std::to_string(samplers.size()) + " samplers");
    }
    std::vector<Row> rows;
    rows.reserve(samplers.size());
    if (samplers.empty()) return rows;
    for (std::size_t i = 0; i < samplers.size(); ++i) {
        const std::string place = "samplers[" + std::to_string(i) + "]";
        if (samplers[i] == nullptr) throw std::invalid_argument(place + " is None");
        if (samplers[i]->tokens() != samplers[0]->tokens()) {
            throw std::invalid_argument(place + " has a vocabulary of " +
                                        std::to_string(samplers[i]->tokens()) +
                                        "; all rows must have the " +
                                        std::to_string(samplers[0]->tokens()) + " of samplers[0]");
        }
        if (std::find(samplers.begin(), samplers.begin() + static_cast<std::ptrdiff_t>(i),
                      samplers[i]) != samplers.begin() + static_cast<std::ptrdiff_t>(i)) {
            throw std::invalid_argument(place + " is in the list twice; each row needs its own");
        }
    }
    const std::size_t width = samplers[0]->tokens(), words = samplers[0]->mask_words();
    require_array<float>(logits, "logits", {samplers.size(), width});
    if (allowed) require_array<std::uint32_t>(*allowed, "allowed", {samplers.size(), words});
    const auto* values = static_cast<const float*>(logits.data());
    float* writable = writable_data(logits);
    const auto* masks = allowed ? static_cast<const std::uint32_t*>(allowed->data()) : nullptr;
    for (std::size_t i = 0; i < samplers.size(); ++i) {
        rows.push_back({samplers[i]->sampler, values + i * width,
                        writable != nullptr ? writable + i * width : nullptr,
                        checked_position(positions[i]),
                        masks != nullptr ? masks + i * words : nullptr});
    }
    return rows;
}

std::vector<std::uint32_t> sample_batch(const std::vector<PySampler*>& samplers, py::array logits,
                                        const std::vector<std::int64_t>& positions,
                                        const std::optional<py::array>& allowed) {
    const std::vector<Row> rows = rows_of(samplers, logits, positions, allowed);
    std::deque<InUse> guards;
    for (PySampler* sampler : samplers) guards.emplace_back(sampler->in_use);
    const py::gil_scoped_release release;
    std::vector<std::uint32_t> ids;
    ids.reserve(rows.size());
    for (const Row& row : rows) {
        try {
            ids.push_back(row.sample());
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("row " + std::to_string(ids.size()) + ": " + error.what());
        }
    }
    return ids;
}

using Logprobs = std::pair<float, std::vector<sampling::TokenLogprob>>;

void require_choice(const PySampler& self, std::int64_t id, std::int64_t top_n) {
    sampling::require_id("id", id, self.vocab_size());
    if (top_n >= 0 && top_n <= self.vocab_size()) return;
    throw std::invalid_argument("top_n is " + std::to_string(top_n) +
                                "; it must be between 0 and " + std::to_string(self.vocab_size()));
}

Logprobs logprobs(PySampler& self, const py::array& logits, std::int64_t id, std::int64_t top_n) {
    require_array<float>(logits, "logits", {self.tokens()});
    require_choice(self, id, top_n);
    Logprobs answer;
    const auto* values = static_cast<const float*>(logits.data());
    const InUse guard(self.in_use);
    const py::gil_scoped_release release;
    answer.first = self.sampler.logprobs(values, static_cast<std::uint32_t>(id),
                                         static_cast<std::size_t>(top_n), answer.second);
    return answer;
}

Logprobs final_logprobs(PySampler& self, const py::array& logits, std::int64_t position,
                        std::int64_t id, std::int64_t top_n,
                        const std::optional<py::array>& allowed) {
    require_array<float>(logits, "logits", {self.tokens()});
    if (allowed) require_array<std::uint32_t>(*allowed, "allowed", {self.mask_words()});
    require_choice(self, id, top_n);
    Logprobs answer;
    const auto* values = static_cast<const float*>(logits.data());
    const auto* mask = allowed ? static_cast<const std::uint32_t*>(allowed->data()) : nullptr;
    const std::uint64_t at = checked_position(position);
    const InUse guard(self.in_use);
    const py::gil_scoped_release release;
    answer.first =
        self.sampler.final_logprobs(values, at, static_cast<std::uint32_t>(id),
                                    static_cast<std::size_t>(top_n), mask, answer.second);
    return answer;
}

// The exponential alone, for those who must agree with it: see weight.h.
std::vector<std::uint32_t> weights(const py::array_t<float, py::array::c_style>& drops, float scale,
                                   const std::optional<std::string>& isa) {
    const auto n = static_cast<std::size_t>(drops.size());
    for (std::size_t i = 0; i < n; ++i) {
        if (!(drops.data()[i] <= 0)) {
            throw std::invalid_argument("drops[" + std::to_string(i) + "] is " +
                                        std::to_string(drops.data()[i]) + "; a drop is at most 0");
        }
    }
    if (!(scale > 0)) {
        throw std::invalid_argument("scale is " + std::to_string(scale) +
                                    "; it must be greater than 0");
    }
    std::vector<std::uint32_t> made(sampling::padded(n));
    std::vector<std::uint64_t> sums(sampling::blocks_of(n));
    passes_named(isa).weigh(drops.data(), n, 0.0f, scale, -__builtin_huge_valf(), made.data(),
                            sums.data());
    made.resize(n);
    return made;
}

}  // namespace

void register_sampling(py::module_& m) {
    // Final, so that __init__ always runs; then the plain metaclass is enough, and stubtest knows
    // it.
    const auto plain = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<PySampler>(m, "Sampler", py::is_final(), plain,
                          "Draws tokens for one request; see docs/sampling.md. Not for two threads "
                          "at once: a second caller gets RuntimeError.")
        .def(py::init(&make_sampler), py::arg("vocab_size"), py::kw_only(),
             py::arg("isa") = py::none())
        .def_property_readonly("vocab_size", &PySampler::vocab_size)
        .def_property_readonly("seed",
                               [](const PySampler& self) { return self.sampler.options().seed; })
        .def("observe_prompt", &observe_prompt, py::arg("ids"))
        .def("observe", &observe, py::arg("id"))
        .def("sample", &sample, py::arg("logits"), py::arg("position"),
             py::arg("allowed") = py::none())
        .def("logprobs", &logprobs, py::arg("logits"), py::arg("id"), py::arg("top_n") = 0)
        .def("final_logprobs", &final_logprobs, py::arg("logits"), py::arg("position"),
             py::arg("id"), py::arg("top_n") = 0, py::arg("allowed") = py::none());
    m.def("sample_batch", &sample_batch, py::arg("samplers"), py::arg("logits"),
          py::arg("positions"), py::arg("allowed") = py::none());
    m.def("weights", &weights, py::arg("drops"), py::kw_only(), py::arg("scale"),
          py::arg("isa") = py::none());
    m.def(
        "philox4x32_10",
        [](sampling::PhiloxCounter counter, sampling::PhiloxKey key) {
            return sampling::philox4x32_10(counter, key);
        },
        py::arg("counter"), py::arg("key"), "Four random 32-bit words of a counter and a key.");
}

}  // namespace edgeward::bindings
