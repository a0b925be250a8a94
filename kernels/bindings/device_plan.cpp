// Plans of device steps for Python: bytes out, draws in; see cuda/plan.h.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/sampler_object.h"
#include "cuda/plan.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

void require_samplers(const std::vector<PySampler*>& samplers) {
    for (std::size_t i = 0; i < samplers.size(); ++i) {
        if (samplers[i] == nullptr) {
            throw std::invalid_argument("samplers[" + std::to_string(i) + "] is None");
        }
    }
}

// Holds its memory from step to step.
class PyPlan {
 public:
    void make(const std::vector<PySampler*>& samplers, const std::vector<std::int64_t>& positions,
              bool logprobs) {
        require_samplers(samplers);
        if (positions.size() != samplers.size()) {
            throw std::invalid_argument("positions has " + std::to_string(positions.size()) +
                                        " entries; it must have one for each of the " +
                                        std::to_string(samplers.size()) + " samplers");
        }
        std::vector<std::uint64_t> checked;
        for (const std::int64_t position : positions) checked.push_back(checked_position(position));
        std::deque<InUse> guards;
        for (PySampler* sampler : samplers) guards.emplace_back(sampler->in_use);
        const py::gil_scoped_release release;
        plan_.clear();
        for (std::size_t i = 0; i < samplers.size(); ++i) {
            plan_.add(samplers[i]->sampler, checked[i], logprobs);
        }
    }

    void write(py::array_t<std::uint8_t, py::array::c_style>& to) const {
        const auto room = static_cast<std::size_t>(to.size());
        if (room < plan_.bytes()) {
            throw std::invalid_argument("the buffer has " + std::to_string(room) +
                                        " bytes; this plan needs " + std::to_string(plan_.bytes()));
        }
        plan_.write(to.mutable_data());
    }

    const cuda::Plan& plan() const { return plan_; }

 private:
    cuda::Plan plan_;
};

std::vector<edgeward_draw> draws_of(const py::array_t<std::uint8_t, py::array::c_style>& bytes,
                                    std::size_t rows) {
    if (static_cast<std::size_t>(bytes.size()) < rows * sizeof(edgeward_draw)) {
        throw std::invalid_argument("draws has " + std::to_string(bytes.size()) + " bytes; " +
                                    std::to_string(rows) + " rows have " +
                                    std::to_string(rows * sizeof(edgeward_draw)));
    }
    std::vector<edgeward_draw> draws(rows);
    if (rows > 0) std::memcpy(draws.data(), bytes.data(), rows * sizeof(edgeward_draw));
    return draws;
}

std::vector<std::uint32_t> settle_step(const std::vector<PySampler*>& samplers,
                                       const py::array_t<std::uint8_t, py::array::c_style>& bytes) {
    require_samplers(samplers);
    std::vector<std::uint32_t> ids;
    std::deque<InUse> guards;
    for (PySampler* sampler : samplers) guards.emplace_back(sampler->in_use);
    for (const edgeward_draw& draw : draws_of(bytes, samplers.size())) {
        try {
            ids.push_back(cuda::settle(samplers[ids.size()]->sampler, draw));
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("row " + std::to_string(ids.size()) + ": " + error.what());
        }
    }
    return ids;
}

std::vector<float> draw_logprobs(const py::array_t<std::uint8_t, py::array::c_style>& bytes,
                                 std::size_t rows) {
    std::vector<float> logprobs;
    for (const edgeward_draw& draw : draws_of(bytes, rows)) {
        logprobs.push_back(cuda::logprob_of(draw));
    }
    return logprobs;
}

}  // namespace

void register_device_plan(py::module_& m) {
    const auto plain = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<PyPlan>(m, "StepPlan", py::is_final(), plain,
                       "What a device needs to draw one token for each of several samplers.")
        .def(py::init<>())
        .def("make", &PyPlan::make, py::arg("samplers"), py::arg("positions"), py::kw_only(),
             py::arg("logprobs") = false)
        .def("write", &PyPlan::write, py::arg("to"))
        .def_property_readonly("bytes", [](const PyPlan& self) { return self.plan().bytes(); })
        .def_property_readonly("flags", [](const PyPlan& self) { return self.plan().flags(); });
    m.attr("DRAW_BYTES") = sizeof(edgeward_draw);
    m.attr("ROW_BYTES") = sizeof(edgeward_row);
    m.attr("EDIT_BYTES") = sizeof(edgeward_edit);
    m.def("settle_step", &settle_step, py::arg("samplers"), py::arg("draws"));
    m.def("draw_logprobs", &draw_logprobs, py::arg("draws"), py::arg("rows"));
}

}  // namespace edgeward::bindings
