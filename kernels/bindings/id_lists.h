// Ids between Python and C++.
//
// Knows: sequences of integers, lists, spans. Does not know: tokenizers.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <vector>

#include "tokenizer/span.h"

namespace edgeward::bindings {

// A new list of integers.
PyObject* to_list(std::span<const uint32_t> ids);
// A new list of pairs of integers, begin and end.
PyObject* to_list(std::span<const Span> spans);

// The ids of a sequence of integers, or of an array of 32-bit ones. Throws for an id that is
// negative or above 2^32 - 1, and a TypeError for what is no integer.
std::vector<uint32_t> read_ids(pybind11::handle ids);

}  // namespace edgeward::bindings
