#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "bindings/bindings.h"
#include "sampling/philox.h"
#include "sampling/sampler.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using sampling::Options;
using sampling::Sampler;

// Scratch memory and history belong to one caller at a time; a second one is told so.
class InUse {
 public:
    explicit InUse(std::atomic_flag& flag) : flag_(flag) {
        if (flag_.test_and_set(std::memory_order_acquire)) {
            throw std::runtime_error(
                "this sampler is in use by another thread; make one sampler for each request");
        }
    }
    ~InUse() { flag_.clear(std::memory_order_release); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

 private:
    std::atomic_flag& flag_;
};

const sampling::Passes& passes_named(const std::optional<std::string>& name) {
    if (!name) return sampling::passes_for(active_isa());
    std::string legal;
    for (Isa isa : supported_isas()) {
        if (*name == isa_name(isa)) return sampling::passes_for(isa);
        legal += legal.empty() ? "" : ", ";
        legal += isa_name(isa);
    }
    throw std::invalid_argument("isa is '" + *name + "'; this build on this processor takes " +
                                legal);
}

template <typename T>
void require_row(const py::array& array, const char* name, const char* dtype, std::size_t size) {
    const bool right = py::isinstance<py::array_t<T>>(array) && array.ndim() == 1 &&
                       static_cast<std::size_t>(array.shape(0)) == size &&
                       reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0 &&
                       (size <= 1 || array.strides(0) == static_cast<py::ssize_t>(sizeof(T)));
    if (right) return;
    throw std::invalid_argument(
        std::string(name) + " is an array of " + py::str(array.dtype()).cast<std::string>() +
        " of shape " + py::str(array.attr("shape")).cast<std::string>() + " and strides " +
        py::str(array.attr("strides")).cast<std::string>() + "; it must be a contiguous, aligned " +
        dtype + " array of shape (" + std::to_string(size) + ",)");
}

class PySampler {
 public:
    PySampler(const Options& options, const sampling::Passes& passes) : sampler_(options, passes) {}

    std::int64_t vocab_size() const { return sampler_.options().vocab_size; }
    std::uint64_t seed() const { return sampler_.options().seed; }

    void observe_prompt(const py::object& sequence) {
        const std::vector<std::uint32_t> ids = ids_of(sequence);
        const InUse guard(in_use_);
        const py::gil_scoped_release release;
        for (const std::uint32_t id : ids) sampler_.observe_prompt(id);
    }

    void observe(std::int64_t id) {
        sampling::require_id("id", id, vocab_size());
        const InUse guard(in_use_);
        sampler_.observe(static_cast<std::uint32_t>(id));
    }

    std::uint32_t sample(py::array logits, std::int64_t position,
                         const std::optional<py::array>& allowed) {
        require_row<float>(logits, "logits", "float32", sampler_.options().tokens());
        if (allowed) {
            require_row<std::uint32_t>(*allowed, "allowed", "uint32",
                                       (sampler_.options().tokens() + 31) / 32);
        }
        if (position < 0) {
            throw std::invalid_argument("position is " + std::to_string(position) +
                                        "; it must be at least 0");
        }
        const auto* mask = allowed ? static_cast<const std::uint32_t*>(allowed->data()) : nullptr;
        const auto at = static_cast<std::uint64_t>(position);
        const InUse guard(in_use_);
        const bool in_place = sampler_.writes() && logits.writeable();
        auto* writable = in_place ? static_cast<float*>(logits.mutable_data()) : nullptr;
        const auto* readable = static_cast<const float*>(logits.data());
        const py::gil_scoped_release release;
        return in_place ? sampler_.sample(writable, at, mask)
                        : sampler_.sample_readonly(readable, at, mask);
    }

    std::pair<float, std::vector<sampling::TokenLogprob>> logprobs(const py::array& logits,
                                                                   std::int64_t id,
                                                                   std::int64_t top_n) {
        require_row<float>(logits, "logits", "float32", sampler_.options().tokens());
        sampling::require_id("id", id, vocab_size());
        if (top_n < 0 || top_n > vocab_size()) {
            throw std::invalid_argument("top_n is " + std::to_string(top_n) +
                                        "; it must be between 0 and " +
                                        std::to_string(vocab_size()));
        }
        std::pair<float, std::vector<sampling::TokenLogprob>> answer;
        const auto* values = static_cast<const float*>(logits.data());
        const InUse guard(in_use_);
        const py::gil_scoped_release release;
        answer.first = sampler_.logprobs(values, static_cast<std::uint32_t>(id),
                                         static_cast<std::size_t>(top_n), answer.second);
        return answer;
    }

 private:
    // A list or an array of whole numbers, each a token of this vocabulary.
    std::vector<std::uint32_t> ids_of(const py::object& sequence) const {
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
            sampling::require_id("a prompt id", values(i), vocab_size());
            checked.push_back(static_cast<std::uint32_t>(values(i)));
        }
        return checked;
    }

    Sampler sampler_;
    std::atomic_flag in_use_;
};

std::unique_ptr<PySampler> make_sampler(std::int64_t vocab_size, double temperature,
                                        std::int64_t top_k, double top_p, double min_p,
                                        double typical_p, double repetition_penalty,
                                        double frequency_penalty, double presence_penalty,
                                        const std::map<std::int64_t, double>& logit_bias,
                                        std::vector<std::int64_t> banned_ids, std::uint64_t seed,
                                        const std::optional<std::string>& isa) {
    Options options;
    options.vocab_size = vocab_size;
    options.temperature = temperature;
    options.top_k = top_k;
    options.top_p = top_p;
    options.min_p = min_p;
    options.typical_p = typical_p;
    options.repetition_penalty = repetition_penalty;
    options.frequency_penalty = frequency_penalty;
    options.presence_penalty = presence_penalty;
    options.logit_bias.assign(logit_bias.begin(), logit_bias.end());
    options.banned_ids = std::move(banned_ids);
    options.seed = seed;
    return std::make_unique<PySampler>(options, passes_named(isa));
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
             py::arg("temperature") = 1.0, py::arg("top_k") = 0, py::arg("top_p") = 1.0,
             py::arg("min_p") = 0.0, py::arg("typical_p") = 1.0,
             py::arg("repetition_penalty") = 1.0, py::arg("frequency_penalty") = 0.0,
             py::arg("presence_penalty") = 0.0,
             py::arg("logit_bias") = std::map<std::int64_t, double>{},
             py::arg("banned_ids") = std::vector<std::int64_t>{}, py::arg("seed") = 0,
             py::arg("isa") = py::none())
        .def_property_readonly("vocab_size", &PySampler::vocab_size)
        .def_property_readonly("seed", &PySampler::seed)
        .def("observe_prompt", &PySampler::observe_prompt, py::arg("ids"))
        .def("observe", &PySampler::observe, py::arg("id"))
        .def("sample", &PySampler::sample, py::arg("logits"), py::arg("position"),
             py::arg("allowed") = py::none())
        .def("logprobs", &PySampler::logprobs, py::arg("logits"), py::arg("id"),
             py::arg("top_n") = 0);
    m.def(
        "philox4x32_10",
        [](sampling::PhiloxCounter counter, sampling::PhiloxKey key) {
            return sampling::philox4x32_10(counter, key);
        },
        py::arg("counter"), py::arg("key"), "Four random 32-bit words of a counter and a key.");
}

}  // namespace edgeward::bindings
