// Tokenizer for Python: str or bytes in, lists out; every call that does real work frees the GIL.
#include "tokenizer/tokenizer.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>

#include "bindings/bindings.h"
#include "bindings/text.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

py::list to_list(const std::vector<uint32_t>& ids) {
    py::list list(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
        PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), PyLong_FromUnsignedLong(ids[i]));
    }
    return list;
}

py::list encode(const Tokenizer& self, py::handle text, bool add_special_tokens) {
    Text input(text);
    std::vector<uint32_t> ids;
    {
        py::gil_scoped_release release;
        ids = self.encode(input.valid(), add_special_tokens);
    }
    return to_list(ids);
}

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

// The ids in an array that takes the vector over: nothing is copied.
template <class T>
py::array_t<T> to_array(std::vector<T> values) {
    auto owned = std::make_unique<std::vector<T>>(std::move(values));
    std::vector<T>& kept = *owned;
    const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
    owned.release();
    return py::array_t<T>(static_cast<py::ssize_t>(kept.size()), kept.data(), owner);
}

py::array_t<uint32_t> encode_array(const Tokenizer& self, py::handle text,
                                   bool add_special_tokens) {
    Text input(text);
    std::vector<uint32_t> ids;
    {
        py::gil_scoped_release release;
        ids = self.encode(input.valid(), add_special_tokens);
    }
    return to_array(std::move(ids));
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
    py::list lists;
    for (const auto& ids : encode_all(self, texts, add_special_tokens, threads)) {
        lists.append(to_list(ids));
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

py::tuple encode_with_offsets(const Tokenizer& self, py::handle text, bool add_special_tokens) {
    Text input(text);
    Encoding encoding;
    {
        py::gil_scoped_release release;
        encoding = self.encode_with_offsets(input.valid(), add_special_tokens);
    }
    py::list offsets(encoding.offsets.size());
    for (size_t i = 0; i < encoding.offsets.size(); ++i) {
        const auto [begin, end] = encoding.offsets[i];
        offsets[i] = py::make_tuple(begin, end);
    }
    return py::make_tuple(to_list(encoding.ids), offsets);
}

std::vector<uint32_t> read_ids(const py::sequence& ids) {
    std::vector<uint32_t> out;
    out.reserve(ids.size());
    for (py::handle item : ids) {
        const py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(item.ptr()));
        if (!index) throw py::error_already_set();
        const long long id = PyLong_AsLongLong(index.ptr());
        if (PyErr_Occurred()) PyErr_Clear();
        if (id < 0 || id > UINT32_MAX) {
            throw std::invalid_argument("token id " + std::string(py::str(index)) +
                                        " is out of range; ids are from 0 to 4294967295");
        }
        out.push_back(static_cast<uint32_t>(id));
    }
    return out;
}

py::str decode(const Tokenizer& self, const py::sequence& ids, bool skip_special_tokens) {
    const std::vector<uint32_t> input = read_ids(ids);
    std::string text;
    {
        py::gil_scoped_release release;
        text = self.decode(input, skip_special_tokens);
    }
    return py::str(text);
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
    py::class_<Tokenizer>(m, "Tokenizer", py::is_final(), plain,
                          "A tokenizer.json, parsed. Immutable; safe from any thread.")
        .def(py::init([](const py::bytes& json, bool cache) {
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
        .def("encode", &encode, "text"_a, "add_special_tokens"_a = true)
        .def("encode_batch", &encode_batch, "texts"_a, "add_special_tokens"_a = true,
             "threads"_a = 1)
        .def("encode_array", &encode_array, "text"_a, "add_special_tokens"_a = true)
        .def("encode_batch_arrays", &encode_batch_arrays, "texts"_a, "add_special_tokens"_a = true,
             "threads"_a = 1)
        .def("encode_with_offsets", &encode_with_offsets, "text"_a, "add_special_tokens"_a = true)
        .def("decode", &decode, "ids"_a, "skip_special_tokens"_a = true)
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
        .def("is_special", &Tokenizer::is_special, "id"_a)
        .def("stream_table", &stream_table)
        .def_property_readonly("vocab_size", &Tokenizer::vocab_size)
        .def_property_readonly("end_id", &Tokenizer::end_id)
        .def_property_readonly("added_tokens", [](const Tokenizer& self) {
            std::vector<std::tuple<uint32_t, std::string, bool>> tokens;
            for (const AddedToken& token : self.added_tokens()) {
                tokens.emplace_back(token.id, token.content, token.special);
            }
            return tokens;
        });
}

}  // namespace edgeward::bindings
