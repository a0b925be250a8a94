// Tokenizer for Python: str or bytes in, lists out; every call that does real work frees the GIL.
#include "tokenizer/tokenizer.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>

#include "bindings/bindings.h"
#include "bindings/fast_call.h"
#include "bindings/id_lists.h"
#include "bindings/text.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

// A text below this is tokenized in less time than it may take to get the GIL back from another
// thread (a switch interval, 5 ms, when that one is busy), so it is kept.
constexpr size_t kKeepGil = size_t{1} << 14;

// `work()` without the GIL, if `bytes` make it worth while.
template <class Work>
void without_gil(size_t bytes, Work&& work) {
    if (bytes < kKeepGil) return work();
    py::gil_scoped_release release;
    work();
}

struct EncodeCall {
    EncodeCall(PyObject* const* args, Py_ssize_t count, PyObject* keywords)
        : found(read_arguments<2>({"text", "add_special_tokens"}, 1, args, count, keywords)),
          text(found[0]),
          special(read_flag(found[1], true)) {}

    std::array<PyObject*, 2> found;
    Text text;
    bool special;
};

PyObject* encode(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
    return guarded([&] {
        EncodeCall call(args, count, keywords);
        const auto& tokenizer = bound_object<Tokenizer>(self);
        std::vector<uint32_t> ids;
        without_gil(call.text.size(),
                    [&] { ids = tokenizer.encode(call.text.valid(), call.special); });
        return to_list(ids);
    });
}

// The ids in an array that takes the vector over: nothing is copied.
template <class T>
py::array_t<T> to_array(std::vector<T> values) {
    auto owned = std::make_unique<std::vector<T>>(std::move(values));
    std::vector<T>& kept = *owned;
    const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
    owned.release();
    return py::array_t<T>(static_cast<py::ssize_t>(kept.size()), kept.data(), owner);
}

PyObject* encode_array(PyObject* self, PyObject* const* args, Py_ssize_t count,
                       PyObject* keywords) {
    return guarded([&] {
        EncodeCall call(args, count, keywords);
        const auto& tokenizer = bound_object<Tokenizer>(self);
        std::vector<uint32_t> ids;
        without_gil(call.text.size(),
                    [&] { ids = tokenizer.encode(call.text.valid(), call.special); });
        return to_array(std::move(ids)).release().ptr();
    });
}

PyObject* encode_with_offsets(PyObject* self, PyObject* const* args, Py_ssize_t count,
                              PyObject* keywords) {
    return guarded([&] {
        EncodeCall call(args, count, keywords);
        const auto& tokenizer = bound_object<Tokenizer>(self);
        Encoding encoding;
        without_gil(call.text.size(), [&] {
            encoding = tokenizer.encode_with_offsets(call.text.valid(), call.special);
        });
        const auto ids = py::reinterpret_steal<py::object>(to_list(encoding.ids));
        const auto offsets = py::reinterpret_steal<py::object>(to_list(encoding.offsets));
        return PyTuple_Pack(2, ids.ptr(), offsets.ptr());
    });
}

PyObject* offsets(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
    return guarded([&] {
        EncodeCall call(args, count, keywords);
        const auto& tokenizer = bound_object<Tokenizer>(self);
        std::vector<Span> spans;
        without_gil(call.text.size(),
                    [&] { spans = tokenizer.offsets(call.text.valid(), call.special); });
        return to_list(spans);
    });
}

PyObject* decode(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
    return guarded([&] {
        const auto found =
            read_arguments<2>({"ids", "skip_special_tokens"}, 1, args, count, keywords);
        const bool skip_special = read_flag(found[1], true);
        const auto& tokenizer = bound_object<Tokenizer>(self);
        const std::vector<uint32_t> ids = read_ids(found[0]);
        std::string text;
        without_gil(ids.size(), [&] { text = tokenizer.decode(ids, skip_special); });
        PyObject* const result =
            PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
        if (result == nullptr) throw py::error_already_set();
        return result;
    });
}

template <class Function>
PyMethodDef fast_method(const char* name, Function* function, const char* doc) {
    return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)),
            METH_FASTCALL | METH_KEYWORDS, doc};
}

PyMethodDef fast_methods[] = {
    fast_method("encode", encode, "encode($self, text, add_special_tokens=True)\n--\n\n"),
    fast_method("encode_array", encode_array,
                "encode_array($self, text, add_special_tokens=True)\n--\n\n"
                "The ids as an array of uint32."),
    fast_method("encode_with_offsets", encode_with_offsets,
                "encode_with_offsets($self, text, add_special_tokens=True)\n--\n\n"),
    fast_method("offsets", offsets, "offsets($self, text, add_special_tokens=True)\n--\n\n"),
    fast_method("decode", decode, "decode($self, ids, skip_special_tokens=True)\n--\n\n"),
};

// Runs work(0) .. work(count - 1) on up to `threads` threads; rethrows the first failure.
template <class Work>
void run_parallel(size_t count, size_t threads, const Work& work) {
    std::atomic<size_t> next{0};
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
    const auto loop = [&] {
        for (size_t i = next++; i < count && !failed; i = next++) {
            try {
                work(i);
            } catch (...) {
                if (!failed.exchange(true)) failure = std::current_exception();
            }
        }
    };
    std::vector<std::jthread> pool;
    for (size_t i = 1; i < std::min(threads, count); ++i) pool.emplace_back(loop);
    loop();
    pool.clear();
    if (failure) std::rethrow_exception(failure);
}

std::vector<std::vector<uint32_t>> encode_all(const Tokenizer& self, const py::sequence& texts,
                                              bool add_special_tokens, size_t threads) {
    if (py::isinstance<py::str>(texts) || py::isinstance<py::bytes>(texts)) {
        throw py::type_error("texts must be a sequence of texts, not one text");
    }
    if (threads < 1 || threads > 256) {
        throw std::invalid_argument("threads is " + std::to_string(threads) +
                                    "; it must be from 1 to 256");
    }
    // Keeps every text alive, whatever another thread does to the sequence meanwhile.
    const py::tuple alive(texts);
    std::vector<Text> inputs;
    inputs.reserve(alive.size());
    for (py::handle text : alive) inputs.emplace_back(text);
    std::vector<std::vector<uint32_t>> results(inputs.size());
    py::gil_scoped_release release;
    run_parallel(inputs.size(), threads, [&](size_t i) {
        results[i] = self.encode(inputs[i].valid(), add_special_tokens);
    });
    self.pad_batch(results);
    return results;
}

py::list encode_batch(const Tokenizer& self, const py::sequence& texts, bool add_special_tokens,
                      size_t threads) {
    const auto rows = encode_all(self, texts, add_special_tokens, threads);
    py::list lists(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        PyList_SET_ITEM(lists.ptr(), static_cast<Py_ssize_t>(i), to_list(rows[i]));
    }
    return lists;
}

// All ids one after the other, and where each text's begin, with the end of the last.
py::tuple encode_batch_arrays(const Tokenizer& self, const py::sequence& texts,
                              bool add_special_tokens, size_t threads) {
    const auto rows = encode_all(self, texts, add_special_tokens, threads);
    std::vector<int64_t> splits{0};
    splits.reserve(rows.size() + 1);
    size_t total = 0;
    for (const auto& ids : rows) splits.push_back(static_cast<int64_t>(total += ids.size()));
    std::vector<uint32_t> flat;
    flat.reserve(total);
    for (const auto& ids : rows) flat.insert(flat.end(), ids.begin(), ids.end());
    return py::make_tuple(to_array(std::move(flat)), to_array(std::move(splits)));
}

// Everything a stream needs, in flat buffers: the bytes of all ids one after the other and the end
// of each as a native uint32, behind other tokens and as the first; a flag byte each (1 token, 2
// special, 4 fallback byte); whether all pieces are raw bytes; what to strip and how often;
// whether "as the first" means as the last; whether the pieces make the text at all.
py::tuple stream_table(const Tokenizer& self) {
    const auto buffers = [&](bool first) {
        std::string bytes;
        std::vector<uint32_t> ends;
        for (uint32_t id = 0; id < self.end_id(); ++id) {
            bytes += self.token_bytes(id, first);
            ends.push_back(static_cast<uint32_t>(bytes.size()));
        }
        const auto* raw = reinterpret_cast<const char*>(ends.data());
        return std::pair(py::bytes(bytes), py::bytes(raw, ends.size() * sizeof(uint32_t)));
    };
    std::string flags;
    for (uint32_t id = 0; id < self.end_id(); ++id) {
        flags.push_back(static_cast<char>(self.is_token(id) | (self.is_special(id) << 1) |
                                          (self.is_byte(id) << 2)));
    }
    const auto rest = buffers(false);
    const auto first = buffers(true);
    return py::make_tuple(rest.first, rest.second, first.first, first.second, py::bytes(flags),
                          self.decoder().bytes(), std::string(self.decoder().strip()),
                          self.decoder().strip_count(), self.decoder().looks_ahead(),
                          self.decoder().streams());
}

std::unique_ptr<Tokenizer> from_compiled(const std::string& path, const py::bytes& source,
                                         bool cache) {
    const std::string_view given = source;
    try {
        py::gil_scoped_release release;
        return std::make_unique<Tokenizer>(MappedFile(path), given, cache);
    } catch (const std::system_error& error) {
        errno = error.code().value();
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
        throw py::error_already_set();
    }
}

}  // namespace

void register_tokenizer(py::module_& m) {
    using namespace py::literals;
    // The plain metaclass: pybind11's own only adds static properties, and no stub can describe it.
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<Tokenizer> cls(m, "Tokenizer", py::is_final(), plain,
                              "A tokenizer.json, parsed. Immutable; safe from any thread.");
    add_fast_methods(cls, fast_methods);
    cls.def(py::init([](const py::bytes& json, bool cache) {
                const std::string_view text = json;
                py::gil_scoped_release release;
                return std::make_unique<Tokenizer>(text, cache);
            }),
            "json"_a, "cache"_a = true)
        .def_static("from_compiled", &from_compiled, "path"_a, "source"_a, "cache"_a = true)
        .def(
            "compile",
            [](Tokenizer& self, const py::bytes& json, const py::bytes& source) {
                return py::bytes(self.compile(std::string_view(json), std::string_view(source)));
            },
            "json_without_tables"_a, "source"_a)
        .def("encode_batch", &encode_batch, "texts"_a, "add_special_tokens"_a = true,
             "threads"_a = 1)
        .def("encode_batch_arrays", &encode_batch_arrays, "texts"_a, "add_special_tokens"_a = true,
             "threads"_a = 1)
        .def(
            "token_bytes",
            [](const Tokenizer& self, uint32_t id) {
                return py::bytes(std::string(self.token_bytes(id)));
            },
            "id"_a)
        .def(
            "id_to_token",
            [](const Tokenizer& self, uint32_t id) -> py::object {
                if (!self.is_token(id)) return py::none();
                return py::str(std::string(self.id_to_token(id)));
            },
            "id"_a)
        .def(
            "token_to_id",
            [](const Tokenizer& self, const std::string& token) -> py::object {
                const uint32_t id = self.token_to_id(token);
                if (id == kNoId) return py::none();
                return py::int_(id);
            },
            "token"_a)
        .def(
            "is_special", [](const Tokenizer& self, uint32_t id) { return self.is_special(id); },
            "id"_a)
        .def("stream_table", &stream_table)
        .def_property_readonly("vocab_size",
                               [](const Tokenizer& self) { return self.vocab_size(); })
        .def_property_readonly("end_id", [](const Tokenizer& self) { return self.end_id(); })
        .def_property_readonly("added_tokens", [](const Tokenizer& self) {
            std::vector<std::tuple<uint32_t, std::string, bool>> tokens;
            for (const AddedToken& token : self.added_tokens()) {
                tokens.emplace_back(token.id, token.content, token.special);
            }
            return tokens;
        });
}

}  // namespace edgeward::bindings
