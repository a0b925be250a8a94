// Caches and attention for Python; see ops/attention.h.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/ops_objects.h"
#include "ops/checks.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

using Floats = py::array_t<float, py::array::c_style>;
using IsaName = std::optional<std::string>;

std::unique_ptr<PyKvCache> make_cache(std::size_t kv_heads, std::size_t head_dim,
                                      std::size_t context, bool int8) {
    // Checked with stand-ins for the memory, before sizes are multiplied.
    std::uint8_t stand_in = 0;
    float number = 0;
    ops::KvCache view{int8 ? ops::KvType::kInt8 : ops::KvType::kFloat16,
                      kv_heads,
                      head_dim,
                      context,
                      &stand_in,
                      &stand_in,
                      &number,
                      &number};
    ops::check_cache(view);
    constexpr std::size_t kMost = std::size_t{1} << 24;
    if (kv_heads > 4096 || context > kMost) {
        throw std::invalid_argument("a cache of " + std::to_string(kv_heads) + " heads and " +
                                    std::to_string(context) + " positions; the most are 4096 and " +
                                    std::to_string(kMost));
    }
    const std::size_t bytes = ops::kv_bytes(view);
    const std::size_t scales = int8 ? kv_heads * context * sizeof(float) : 0;
    auto made = std::make_unique<PyKvCache>(PyKvCache{
        AlignedBytes(bytes), AlignedBytes(bytes), AlignedBytes(scales), AlignedBytes(scales), {}});
    view.keys = made->keys.data();
    view.values = made->values.data();
    view.key_scales = int8 ? reinterpret_cast<float*>(made->key_scales.data()) : nullptr;
    view.value_scales = int8 ? reinterpret_cast<float*>(made->value_scales.data()) : nullptr;
    made->view = view;
    return made;
}

void append(PyKvCache& cache, std::size_t position, const py::array& keys, const py::array& values,
            const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    const std::size_t width = cache.view.kv_heads * cache.view.head_dim;
    const auto tokens = keys.ndim() == 2 ? static_cast<std::size_t>(keys.shape(0)) : 0;
    require_array<float>(keys, "keys", {tokens, width});
    require_array<float>(values, "values", {tokens, width});
    if (position > cache.view.context || tokens > cache.view.context - position) {
        throw std::invalid_argument(std::to_string(tokens) + " tokens at position " +
                                    std::to_string(position) + " do not fit a context of " +
                                    std::to_string(cache.view.context));
    }
    const auto* key = static_cast<const float*>(keys.data());
    const auto* value = static_cast<const float*>(values.data());
    const py::gil_scoped_release release;
    for (std::size_t t = 0; t < tokens; ++t) {
        for (std::size_t h = 0; h < cache.view.kv_heads; ++h) {
            const std::size_t at = t * width + h * cache.view.head_dim;
            operators.append(cache.view, h, position + t, key + at, value + at);
        }
    }
}

Floats attend(const PyKvCache& cache, const py::array& queries, std::size_t position,
              std::size_t heads, float scale, float soft_cap, std::size_t window, bool split,
              ops::Team* team, const IsaName& isa) {
    const ops::Operators& operators = operators_named(isa);
    const std::size_t width = heads * cache.view.head_dim;
    const auto tokens = queries.ndim() == 2 ? static_cast<std::size_t>(queries.shape(0)) : 0;
    require_array<float>(queries, "queries", {tokens, width});
    Floats out({static_cast<py::ssize_t>(tokens), static_cast<py::ssize_t>(width)});
    ops::Attention call;
    call.cache = cache.view;
    call.heads = heads;
    call.tokens = tokens;
    call.position = position;
    call.scale = scale;
    call.soft_cap = soft_cap;
    call.window = window;
    call.queries = static_cast<const float*>(queries.data());
    call.out = out.mutable_data();
    call.query_stride = call.out_stride = width;
    ops::check_attention(call);
    const py::gil_scoped_release release;
    const AlignedBytes scratch(split ? call.split_floats() * sizeof(float) : 0);
    auto* partial = reinterpret_cast<float*>(scratch.data());
    run_on(team, [&](ops::Member& member) {
        ops::Range range;
        if (!split) {
            while (member.take(call.units(), 1, range)) {
                operators.attend(call, range.first, range.last);
            }
            return;
        }
        while (member.take(call.split_units(), 1, range)) {
            operators.attend_split(call, range.first, range.last, partial);
        }
        member.barrier();
        const ops::Range own = member.share(call.units());
        operators.attend_merge(call, own.first, own.last, partial);
    });
    return out;
}

}  // namespace

void register_ops_attention(py::module_& m) {
    py::class_<PyKvCache>(m, "KvCache", py::is_final(),
                          py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                          "Keys and values of one layer and one sequence.")
        .def(py::init(&make_cache), py::arg("kv_heads"), py::arg("head_dim"), py::arg("context"),
             py::kw_only(), py::arg("int8") = false)
        .def("append", &append, py::arg("position"), py::arg("keys"), py::arg("values"),
             py::kw_only(), py::arg("isa") = py::none())
        .def("attend", &attend, py::arg("queries"), py::arg("position"), py::kw_only(),
             py::arg("heads"), py::arg("scale") = 1.0f, py::arg("soft_cap") = 0.0f,
             py::arg("window") = 0, py::arg("split") = false, py::arg("team") = py::none(),
             py::arg("isa") = py::none());
}

}  // namespace edgeward::bindings
