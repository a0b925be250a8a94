// The operators for Python: packed matrices, rows, teams. For tests and benches; models reach the
// operators through ONNX Runtime.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/ops_objects.h"
#include "ops/checks.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Codes = py::array_t<std::int8_t, py::array::c_style>;
using IsaName = std::optional<std::string>;
using RowArrays = std::tuple<Codes, Floats, Floats>;

std::size_t extent(const py::array& array, int axis) {
    return static_cast<std::size_t>(array.shape(axis));
}

void require_2d(const py::array& array, const char* name) {
    if (array.ndim() != 2) {
        throw std::invalid_argument(std::string(name) + " has " + std::to_string(array.ndim()) +
                                    " dimensions; give 2");
    }
}

// Rows of activations with their memory.
struct Rows {
    AlignedBytes memory;
    ops::QuantizedRows view;

    Rows(std::size_t rows, std::size_t cols)
        : memory(ops::quantized_bytes(rows, cols)),
          view(ops::quantized_view(memory.data(), rows, cols)) {}
};

Rows quantized(const ops::Operators& operators, const float* x, std::size_t rows,
               std::size_t cols) {
    Rows made(rows, cols);
    for (std::size_t t = 0; t < rows; ++t) operators.quantize_row(x + t * cols, made.view, t);
    return made;
}

// Out of their tiles: values [rows][cols], scales and sums [rows][blocks].
RowArrays untiled(const ops::QuantizedRows& x) {
    const auto rows = static_cast<py::ssize_t>(x.rows);
    const auto blocks = static_cast<py::ssize_t>(x.blocks());
    Codes values({rows, static_cast<py::ssize_t>(x.cols)});
    Floats scales({rows, blocks}), sums({rows, blocks});
    for (std::size_t row = 0; row < x.rows; ++row) {
        const std::size_t tile = row / ops::kTile, t = row % ops::kTile, width = x.width(tile);
        for (std::size_t b = 0; b < x.blocks(); ++b) {
            for (std::size_t q = 0; q < 8; ++q) {
                std::memcpy(values.mutable_data() + row * x.cols + b * 32 + q * 4,
                            x.tile_values(tile) + ((b * 8 + q) * width + t) * 4, 4);
            }
            scales.mutable_data()[row * x.blocks() + b] = x.tile_scales(tile)[b * width + t];
            sums.mutable_data()[row * x.blocks() + b] = x.tile_sums(tile)[b * width + t];
        }
    }
    return {values, scales, sums};
}

std::unique_ptr<PyMatrix> pack(const std::string& format_name, const py::array& values,
                               const py::array& scales, const std::optional<py::array>& minima) {
    const ops::Format format = format_named(format_name);
    require_2d(values, "values");
    const std::size_t rows = extent(values, 0), cols = extent(values, 1);
    const std::size_t bytes = ops::packed_bytes(format, rows, cols);
    const ops::Layout layout = ops::layout_of(format);
    require_array<std::int8_t>(values, "values", {rows, cols});
    require_array<float>(scales, "scales", {rows, cols / ops::kBlock * layout.scales});
    if (layout.minimum != minima.has_value()) {
        throw std::invalid_argument("format '" + format_name + "' " +
                                    (layout.minimum ? "needs" : "has no") + " minima");
    }
    if (minima) require_array<float>(*minima, "minima", {rows, cols / ops::kBlock});
    const auto* low = minima ? static_cast<const float*>(minima->data()) : nullptr;
    const py::gil_scoped_release release;
    auto made = std::make_unique<PyMatrix>(PyMatrix{AlignedBytes(bytes), {}});
    ops::pack_matrix(format, rows, cols, static_cast<const std::int8_t*>(values.data()),
                     static_cast<const float*>(scales.data()), low, made->memory.data());
    made->view = {format, rows, cols, made->memory.data()};
    return made;
}

Floats unpack(const PyMatrix& matrix, std::size_t row) {
    if (row >= matrix.view.rows) {
        throw std::invalid_argument("row is " + std::to_string(row) + "; the matrix has " +
                                    std::to_string(matrix.view.rows));
    }
    Floats out(static_cast<py::ssize_t>(matrix.view.cols));
    ops::unpack_row(matrix.view, row, out.mutable_data());
    return out;
}

Floats multiply(const PyMatrix& matrix, const py::array& x, ops::Team* team, std::size_t chunk,
                const std::optional<py::array>& add_to, const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    require_2d(x, "x");
    const std::size_t rows = extent(x, 0), width = matrix.view.rows;
    require_array<float>(x, "x", {rows, matrix.view.cols});
    if (add_to) require_array<float>(*add_to, "add_to", {rows, width});
    if (chunk == 0) throw std::invalid_argument("chunk is 0; give at least 1 group");
    Floats out({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(width)});
    float* to = out.mutable_data();
    if (add_to) std::memcpy(to, add_to->data(), rows * width * sizeof(float));
    const ops::Store store = add_to ? ops::Store::kAdd : ops::Store::kSet;
    const auto* from = static_cast<const float*>(x.data());
    const py::gil_scoped_release release;
    const Rows right = quantized(operators, from, rows, matrix.view.cols);
    ops::check_multiply(matrix.view, right.view);
    run_on(team, [&](ops::Member& member) {
        ops::Range range;
        while (member.take(matrix.view.groups(), chunk, range)) {
            operators.multiply(matrix.view, right.view, range.first, range.last, store, to, width);
        }
    });
    return out;
}

RowArrays multiply_gated(const PyMatrix& gate, const PyMatrix& up, const py::array& x,
                         const std::string& activation_name, ops::Team* team, const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    const ops::Activation activation = activation_named(activation_name);
    require_2d(x, "x");
    const std::size_t rows = extent(x, 0);
    require_array<float>(x, "x", {rows, gate.view.cols});
    ops::check_gated(gate.view, up.view);
    Rows out(rows, gate.view.rows);
    const auto* from = static_cast<const float*>(x.data());
    {
        const py::gil_scoped_release release;
        const Rows right = quantized(operators, from, rows, gate.view.cols);
        run_on(team, [&](ops::Member& member) {
            const ops::Range range = member.share(out.view.blocks());
            operators.multiply_gated(gate.view, up.view, right.view, activation, range.first,
                                     range.last, out.view);
        });
    }
    return untiled(out.view);
}

RowArrays quantize_rows(const py::array& x, const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    require_2d(x, "x");
    const std::size_t rows = extent(x, 0), cols = extent(x, 1);
    require_array<float>(x, "x", {rows, cols});
    if (cols % ops::kBlock != 0) {
        throw std::invalid_argument("x has " + std::to_string(cols) +
                                    " columns; give a multiple of 32");
    }
    return untiled(quantized(operators, static_cast<const float*>(x.data()), rows, cols).view);
}

Floats copy_of(const py::array& x, const char* name) {
    require_array<float>(x, name, {static_cast<std::size_t>(x.size())});
    Floats out(x.size());
    std::memcpy(out.mutable_data(), x.data(), static_cast<std::size_t>(x.nbytes()));
    return out;
}

Floats rms_norm(const py::array& x, const py::array& weight, float epsilon, const IsaName& isa) {
    Floats out = copy_of(x, "x");
    const auto n = static_cast<std::size_t>(x.size());
    require_array<float>(weight, "weight", {n});
    operators_named(isa).rms_norm(out.data(), static_cast<const float*>(weight.data()), epsilon, n,
                                  out.mutable_data());
    return out;
}

Floats rotate(const py::array& head, const py::array& cosines, const py::array& sines, bool pairs,
              const IsaName& isa) {
    Floats out = copy_of(head, "head");
    const auto n = static_cast<std::size_t>(head.size());
    if (n % 2 != 0) throw std::invalid_argument("head has an odd number of values");
    require_array<float>(cosines, "cosines", {n / 2});
    require_array<float>(sines, "sines", {n / 2});
    operators_named(isa).rotate(pairs ? ops::Rotary::kPairs : ops::Rotary::kHalves,
                                static_cast<const float*>(cosines.data()),
                                static_cast<const float*>(sines.data()), n, out.mutable_data());
    return out;
}

Floats gate(const std::string& activation, const py::array& gate_values, const py::array& up,
            const IsaName& isa) {
    Floats out = copy_of(gate_values, "gate");
    const auto n = static_cast<std::size_t>(out.size());
    require_array<float>(up, "up", {n});
    operators_named(isa).gate(activation_named(activation), out.data(),
                              static_cast<const float*>(up.data()), n, out.mutable_data());
    return out;
}

Floats add(const py::array& x, const py::array& y, const IsaName& isa) {
    Floats out = copy_of(y, "y");
    const auto n = static_cast<std::size_t>(out.size());
    require_array<float>(x, "x", {n});
    operators_named(isa).add(static_cast<const float*>(x.data()), n, out.mutable_data());
    return out;
}

std::tuple<std::vector<std::uint32_t>, std::vector<float>> top(const py::array& x,
                                                               std::size_t count,
                                                               std::uint32_t first_id,
                                                               const IsaName& isa) {
    const auto n = static_cast<std::size_t>(x.size());
    require_array<float>(x, "x", {n});
    std::vector<std::uint32_t> ids(std::min(count, n));
    std::vector<float> values(ids.size());
    operators_named(isa).top(static_cast<const float*>(x.data()), n, first_id, ids.size(),
                             ids.data(), values.data());
    return {ids, values};
}

// Rounds of "every thread writes, barrier, every thread reads all": false if one saw an old value
// or if work was taken twice or not at all.
bool exercise(ops::Team& team, std::size_t rounds) {
    std::vector<std::size_t> slots(team.size()), taken(97);
    std::atomic<bool> right{true};
    const py::gil_scoped_release release;
    team.run([&](ops::Member& member) {
        for (std::size_t round = 1; round <= rounds; ++round) {
            slots[member.index] = round;
            ops::Range range;
            while (member.take(taken.size(), 5, range)) {
                for (std::size_t i = range.first; i < range.last; ++i) ++taken[i];
            }
            member.barrier();
            for (std::size_t i = 0; i < member.count; ++i) {
                if (slots[i] != round) right = false;
            }
            const ops::Range own = member.share(taken.size());
            for (std::size_t i = own.first; i < own.last; ++i) {
                if (taken[i] != round) right = false;
            }
            member.barrier();
        }
    });
    return right;
}

void register_team(py::module_& m) {
    py::class_<ops::Team>(m, "Team", py::is_final(),
                          py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                          "Threads that work on one call at a time, the caller among them.")
        .def(py::init([](std::size_t threads, std::size_t spin_us, bool pin) {
                 return std::make_unique<ops::Team>(ops::TeamOptions{threads, spin_us, pin});
             }),
             py::arg("threads"), py::kw_only(), py::arg("spin_us") = 200, py::arg("pin") = false)
        .def_property_readonly("size", &ops::Team::size)
        .def("exercise", &exercise, py::arg("rounds"));
}

void register_matrix(py::module_& m) {
    py::class_<PyMatrix>(m, "PackedMatrix", py::is_final(),
                         py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                         "A quantized matrix in the layout of the operators.")
        .def(py::init(&pack), py::arg("format"), py::arg("values"), py::arg("scales"),
             py::arg("minima") = py::none())
        .def_property_readonly("rows", [](const PyMatrix& self) { return self.view.rows; })
        .def_property_readonly("cols", [](const PyMatrix& self) { return self.view.cols; })
        .def_property_readonly("nbytes", [](const PyMatrix& self) { return self.memory.size(); })
        .def("row", &unpack, py::arg("row"))
        .def("multiply", &multiply, py::arg("x"), py::kw_only(), py::arg("team") = py::none(),
             py::arg("chunk") = 2, py::arg("add_to") = py::none(), py::arg("isa") = py::none())
        .def("multiply_gated", &multiply_gated, py::arg("up"), py::arg("x"), py::arg("activation"),
             py::kw_only(), py::arg("team") = py::none(), py::arg("isa") = py::none());
}

}  // namespace

void register_ops(py::module_& m) {
    register_team(m);
    register_matrix(m);
    register_ops_attention(m);
    register_ops_measure(m);
    const auto isa = py::arg("isa") = py::none();
    m.def("quantize_rows", &quantize_rows, py::arg("x"), py::kw_only(), isa);
    m.def("rms_norm", &rms_norm, py::arg("x"), py::arg("weight"), py::arg("epsilon"), py::kw_only(),
          isa);
    m.def("rotate", &rotate, py::arg("head"), py::arg("cosines"), py::arg("sines"), py::kw_only(),
          py::arg("pairs") = false, isa);
    m.def("gate", &gate, py::arg("activation"), py::arg("gate"), py::arg("up"), py::kw_only(), isa);
    m.def("add", &add, py::arg("x"), py::arg("y"), py::kw_only(), isa);
    m.def("top_values", &top, py::arg("x"), py::arg("count"), py::kw_only(),
          py::arg("first_id") = 0, isa);
}

}  // namespace edgeward::bindings
