// The module edgeward.kernels._native: one call a kernel family.
#include "bindings/bindings.h"
#include "cpu.h"

PYBIND11_MODULE(_native, m) {
    m.doc() = "C++ kernels of Edgeward; import them through edgeward.kernels.";
    edgeward::active_isa();  // a wrong EDGEWARD_ISA fails here, at import, not in the first request
    edgeward::bindings::register_cpu(m);
    edgeward::bindings::register_ops(m);
    edgeward::bindings::register_rounding(m);
    edgeward::bindings::register_sampling(m);
    edgeward::bindings::register_device_plan(m);
    edgeward::bindings::register_splitter(m);
    edgeward::bindings::register_tokenizer(m);
    edgeward::bindings::register_encoding(m);
    edgeward::bindings::register_safety_normalize(m);
    edgeward::bindings::register_safety_model(m);
    edgeward::bindings::register_safety_places(m);
}
