// One registration function a kernel family. Bindings convert, free the GIL and translate errors;
// they decide nothing.
#pragma once

#include <pybind11/pybind11.h>

namespace edgeward::bindings {

void register_cpu(pybind11::module_& m);
void register_ops(pybind11::module_& m);
void register_ops_attention(pybind11::module_& m);
void register_ops_measure(pybind11::module_& m);
void register_rounding(pybind11::module_& m);
void register_sampling(pybind11::module_& m);
void register_device_plan(pybind11::module_& m);
void register_splitter(pybind11::module_& m);
void register_tokenizer(pybind11::module_& m);
void register_encoding(pybind11::module_& m);
void register_safety_normalize(pybind11::module_& m);
void register_safety_model(pybind11::module_& m);
void register_safety_places(pybind11::module_& m);

}  // namespace edgeward::bindings
