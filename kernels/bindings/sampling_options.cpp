#include "bindings/sampling_options.h"

#include <pybind11/stl.h>

#include <map>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace py = pybind11;

namespace edgeward::bindings {

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

// The keyword arguments, each under the name of its field. An unknown one is a TypeError, as it
// would be for a function of Python.
sampling::Options sampler_options(std::int64_t vocab_size, const py::kwargs& settings) {
    sampling::Options options;
    options.vocab_size = vocab_size;
    for (const auto& [key, value] : settings) {
        const auto name = key.cast<std::string>();
        const auto take = [&, &value = value](const char* field, auto& target) {
            if (name != field) return false;
            try {
                target = value.template cast<std::decay_t<decltype(target)>>();
            } catch (const py::cast_error&) {
                throw py::type_error(name + " is " + py::repr(value).cast<std::string>() +
                                     ", which has the wrong type or does not fit");
            }
            return true;
        };
        std::map<std::int64_t, double> bias;
        if (take("logit_bias", bias)) {
            options.logit_bias.assign(bias.begin(), bias.end());
            continue;
        }
        const bool known =
            take("temperature", options.temperature) || take("top_k", options.top_k) ||
            take("top_p", options.top_p) || take("min_p", options.min_p) ||
            take("typical_p", options.typical_p) ||
            take("repetition_penalty", options.repetition_penalty) ||
            take("frequency_penalty", options.frequency_penalty) ||
            take("presence_penalty", options.presence_penalty) ||
            take("penalty_window", options.penalty_window) ||
            take("banned_ids", options.banned_ids) || take("seed", options.seed) ||
            take("top_n_sigma", options.top_n_sigma) ||
            take("xtc_probability", options.xtc_probability) ||
            take("xtc_threshold", options.xtc_threshold) ||
            take("dry_multiplier", options.dry_multiplier) || take("dry_base", options.dry_base) ||
            take("dry_allowed_length", options.dry_allowed_length) ||
            take("dry_window", options.dry_window) ||
            take("dry_breaker_ids", options.dry_breaker_ids) ||
            take("no_repeat_ngram_size", options.no_repeat_ngram_size) ||
            take("mirostat_tau", options.mirostat_tau) ||
            take("mirostat_eta", options.mirostat_eta) ||
            take("bad_words_ids", options.bad_words_ids) ||
            take("min_tokens", options.min_tokens) || take("end_ids", options.end_ids) ||
            take("forced_ids", options.forced_ids);
        if (!known) throw py::type_error("Sampler() got an unknown setting '" + name + "'");
    }
    return options;
}

}  // namespace edgeward::bindings
