// From Python's keyword arguments to the settings of a sampler.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "sampling/options.h"
#include "sampling/passes.h"

namespace edgeward::bindings {

// Throws TypeError for an unknown name or a value of the wrong type; ranges are not looked at.
sampling::Options sampler_options(std::int64_t vocab_size, const pybind11::kwargs& settings);

// The passes of a named instruction set, or of the one in use. Throws std::invalid_argument.
const sampling::Passes& passes_named(const std::optional<std::string>& isa);

}  // namespace edgeward::bindings
