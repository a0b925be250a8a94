// Times of operators and of the machine's limits, for `edgeward bench operators`: loops that must
// not run in Python. Seconds by the wall clock.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/ops_objects.h"
#include "ops/checks.h"
#include "ops/limits.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using IsaName = std::optional<std::string>;
using Clock = std::chrono::steady_clock;

template <typename Work>
double seconds_of(Work&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<const PyMatrix*> checked(const std::vector<const PyMatrix*>& matrices) {
    if (matrices.empty()) throw std::invalid_argument("matrices is empty; give at least one");
    for (const PyMatrix* matrix : matrices) {
        if (matrix == nullptr) throw std::invalid_argument("matrices holds None");
        if (matrix->view.rows != matrices[0]->view.rows ||
            matrix->view.cols != matrices[0]->view.cols) {
            throw std::invalid_argument("matrices differ in shape; give copies of one");
        }
    }
    return matrices;
}

// Seconds of one pass over all matrices, one after the other as a model's layers come.
double time_multiply(const std::vector<const PyMatrix*>& given, std::size_t tokens, ops::Team& team,
                     const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    const std::vector<const PyMatrix*> matrices = checked(given);
    const std::size_t rows = matrices[0]->view.rows, cols = matrices[0]->view.cols;
    const py::gil_scoped_release release;
    const AlignedBytes memory(ops::quantized_bytes(tokens, cols));
    const ops::QuantizedRows x = ops::quantized_view(memory.data(), tokens, cols);
    std::vector<float> row(cols), out(tokens * rows);
    for (std::size_t i = 0; i < cols; ++i) row[i] = static_cast<float>(i % 17) - 8.0f;
    for (std::size_t t = 0; t < tokens; ++t) operators.quantize_row(row.data(), x, t);
    return seconds_of([&] {
        team.run([&](ops::Member& member) {
            for (const PyMatrix* matrix : matrices) {
                const ops::Range own = member.share(matrix->view.groups());
                operators.multiply(matrix->view, x, own.first, own.last, ops::Store::kSet,
                                   out.data(), rows);
                member.barrier();
            }
        });
    });
}

// Seconds of `repeats` calls over the last `tokens` of `position + tokens` positions.
double time_attend(const PyKvCache& cache, std::size_t tokens, std::size_t position,
                   std::size_t heads, std::size_t repeats, ops::Team& team, const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    const std::size_t width = heads * cache.view.head_dim;
    std::vector<float> queries(tokens * width, 0.01f), out(tokens * width);
    ops::Attention call;
    call.cache = cache.view;
    call.heads = heads;
    call.tokens = tokens;
    call.position = position;
    call.queries = queries.data();
    call.out = out.data();
    call.query_stride = call.out_stride = width;
    ops::check_attention(call);
    const py::gil_scoped_release release;
    const bool split = tokens * call.group() <= ops::kRowTile;
    const AlignedBytes scratch(split ? call.split_floats() * sizeof(float) : 0);
    auto* partial = reinterpret_cast<float*>(scratch.data());
    return seconds_of([&] {
        team.run([&](ops::Member& member) {
            ops::Range range;
            for (std::size_t i = 0; i < repeats; ++i) {
                if (split) {
                    range = member.share(call.split_units());
                    operators.attend_split(call, range.first, range.last, partial);
                    member.barrier();
                    range = member.share(call.units());
                    operators.attend_merge(call, range.first, range.last, partial);
                } else {
                    while (member.take(call.units(), 1, range)) {
                        operators.attend(call, range.first, range.last);
                    }
                }
                member.barrier();
            }
        });
    });
}

// Operations of all threads and their seconds.
std::pair<double, double> time_limit(double (*limit)(std::size_t), std::size_t rounds,
                                     ops::Team& team) {
    std::vector<double> operations(team.size());
    const py::gil_scoped_release release;
    const double seconds = seconds_of(
        [&] { team.run([&](ops::Member& member) { operations[member.index] = limit(rounds); }); });
    double sum = 0;
    for (double one : operations) sum += one;
    return {sum, seconds};
}

// Bytes read, and seconds, of one pass over the bytes of all matrices.
std::pair<double, double> time_read(const std::vector<const PyMatrix*>& given, ops::Team& team,
                                    const IsaName& isa) {
    const ops::Limits& limits = limits_named(isa);
    const std::vector<const PyMatrix*> matrices = checked(given);
    std::vector<std::uint32_t> seen(team.size());
    const std::size_t lines = matrices[0]->memory.size() / 256;
    const py::gil_scoped_release release;
    const double seconds = seconds_of([&] {
        team.run([&](ops::Member& member) {
            const ops::Range own = member.share(lines);
            for (const PyMatrix* matrix : matrices) {
                seen[member.index] ^=
                    limits.read(matrix->memory.data() + own.first * 256, own.size() * 256);
            }
        });
    });
    return {static_cast<double>(lines * 256 * matrices.size()), seconds};
}

double time_barriers(ops::Team& team, std::size_t count) {
    const py::gil_scoped_release release;
    return seconds_of([&] {
        team.run([&](ops::Member& member) {
            for (std::size_t i = 0; i < count; ++i) member.barrier();
        });
    });
}

}  // namespace

void register_ops_measure(py::module_& m) {
    const auto isa = py::arg("isa") = py::none();
    m.def("time_multiply", &time_multiply, py::arg("matrices"), py::arg("tokens"), py::arg("team"),
          py::kw_only(), isa);
    m.def("time_attend", &time_attend, py::arg("cache"), py::arg("tokens"), py::arg("position"),
          py::arg("heads"), py::arg("repeats"), py::arg("team"), py::kw_only(), isa);
    m.def(
        "time_dots",
        [](std::size_t rounds, ops::Team& team, const IsaName& name) {
            return time_limit(limits_named(name).dots, rounds, team);
        },
        py::arg("rounds"), py::arg("team"), py::kw_only(), isa);
    m.def(
        "time_fmas",
        [](std::size_t rounds, ops::Team& team, const IsaName& name) {
            return time_limit(limits_named(name).fmas, rounds, team);
        },
        py::arg("rounds"), py::arg("team"), py::kw_only(), isa);
    m.def("time_read", &time_read, py::arg("matrices"), py::arg("team"), py::kw_only(), isa);
    m.def("time_barriers", &time_barriers, py::arg("team"), py::arg("count"));
}

}  // namespace edgeward::bindings
