// Rounding blocks of weights, for quantization.
#include <pybind11/numpy.h>

#include <stdexcept>
#include <string>

#include "bindings/bindings.h"
#include "rounding/blocks.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using Floats = py::array_t<float, py::array::c_style>;
using rounding::kBlock;

// Arrays are changed in place, so nothing may be converted on the way: another type or order is
// refused by `noconvert`, a shape here.
std::size_t rows_of(const Floats& block, const char* name) {
    if (block.ndim() != 2 || block.shape(0) != static_cast<py::ssize_t>(kBlock)) {
        throw std::invalid_argument(std::string(name) + " must be float32 (32, rows)");
    }
    return static_cast<std::size_t>(block.shape(1));
}

void require(const Floats& array, std::initializer_list<std::size_t> shape, const char* name) {
    bool same = static_cast<std::size_t>(array.ndim()) == shape.size();
    py::ssize_t axis = 0;
    for (const std::size_t size : shape) {
        same = same && array.shape(axis++) == static_cast<py::ssize_t>(size);
    }
    if (!same) throw std::invalid_argument(std::string(name) + " has a shape that does not fit");
}

rounding::Range range_of(int low, int high, bool minimum, bool half) {
    if (low >= high || low < -128 || high > 255 || (!minimum && low >= 0)) {
        throw std::invalid_argument("codes " + std::to_string(low) + " to " + std::to_string(high) +
                                    " are no range; give -128 <= low < high <= 255, and low < 0 "
                                    "without a minimum");
    }
    return {static_cast<float>(low), static_cast<float>(high), minimum, half};
}

void fit_block(const Floats& x, const Floats& weights, int low, int high, bool minimum, bool half,
               Floats& scales, Floats& minima) {
    const std::size_t rows = rows_of(x, "x");
    require(weights, {kBlock}, "weights");
    require(scales, {rows}, "scales");
    require(minima, {rows}, "minima");
    const rounding::Range range = range_of(low, high, minimum, half);
    float *s = scales.mutable_data(), *m = minima.mutable_data();
    const py::gil_scoped_release free;
    rounding::fit_block(x.data(), rows, weights.data(), range, s, m);
}

void feed_block(Floats& x, const Floats& upper, int low, int high, const Floats& scales,
                const Floats& minima, Floats& codes, Floats& errors) {
    const std::size_t rows = rows_of(x, "x");
    require(upper, {kBlock, kBlock}, "upper");
    require(scales, {rows}, "scales");
    require(minima, {rows}, "minima");
    require(codes, {kBlock, rows}, "codes");
    require(errors, {kBlock, rows}, "errors");
    const rounding::Range range = range_of(low, high, true, false);
    float *xs = x.mutable_data(), *c = codes.mutable_data(), *e = errors.mutable_data();
    const py::gil_scoped_release free;
    rounding::feed_block(xs, rows, upper.data(), range, scales.data(), minima.data(), c, e);
}

void descend_block(Floats& codes, const Floats& h, int low, int high, bool minimum, bool half,
                   Floats& slope, Floats& scales, Floats& minima, Floats& change) {
    const std::size_t rows = rows_of(codes, "codes");
    require(h, {kBlock, kBlock}, "h");
    require(slope, {kBlock, rows}, "slope");
    require(scales, {rows}, "scales");
    require(minima, {rows}, "minima");
    require(change, {kBlock, rows}, "change");
    const rounding::Range range = range_of(low, high, minimum, half);
    float *c = codes.mutable_data(), *g = slope.mutable_data(), *s = scales.mutable_data();
    float *m = minima.mutable_data(), *d = change.mutable_data();
    const py::gil_scoped_release free;
    rounding::descend_block(c, rows, h.data(), range, g, s, m, d);
}

}  // namespace

void register_rounding(py::module_& m) {
    const auto in_place = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("fit_block", &fit_block, in_place("x"), in_place("weights"), py::arg("low"),
          py::arg("high"), py::arg("minimum"), py::arg("half"), in_place("scales"),
          in_place("minima"));
    m.def("feed_block", &feed_block, in_place("x"), in_place("upper"), py::arg("low"),
          py::arg("high"), in_place("scales"), in_place("minima"), in_place("codes"),
          in_place("errors"));
    m.def("descend_block", &descend_block, in_place("codes"), in_place("h"), py::arg("low"),
          py::arg("high"), py::arg("minimum"), py::arg("half"), in_place("slope"),
          in_place("scales"), in_place("minima"), in_place("change"));
}

}  // namespace edgeward::bindings
