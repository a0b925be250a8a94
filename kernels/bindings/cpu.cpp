#include "cpu.h"

#include <pybind11/stl.h>

#include "bindings/bindings.h"

namespace edgeward::bindings {

void register_cpu(pybind11::module_& m) {
    m.def(
        "active_isa", [] { return std::string(isa_name(active_isa())); },
        "Instruction set the kernels use: generic, avx2, avxvnni, avx512, neon or i8mm.");
    m.def(
        "supported_isas",
        [] {
            std::vector<std::string> names;
            for (Isa isa : supported_isas()) names.emplace_back(isa_name(isa));
            return names;
        },
        "Instruction sets this build can run on this processor, worst first.");
    m.def("cpu_features", &cpu_features, "Feature names of this processor that matter for speed.");
}

}  // namespace edgeward::bindings
