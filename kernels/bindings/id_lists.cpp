#include "bindings/id_lists.h"

#include <cstring>
#include <stdexcept>

#include "bindings/object_pages.h"

namespace py = pybind11;

namespace edgeward::bindings {
namespace {

// A reference to Python's integer. The objects of ids below kKept are made once a process, when
// they are first met, and kept, as CPython keeps those up to 256 (40 bytes each; a text of 1 MB
// meets some ten thousand). A list of a million tokens is then no million objects. Only called
// under the GIL.
PyObject* new_integer(uint32_t id) {
    constexpr uint32_t kKept = 1 << 17;
    static PyObject* kept[kKept];
    if (id >= kKept) return PyLong_FromLong(static_cast<long>(id));
    if (kept[id] == nullptr) kept[id] = PyLong_FromLong(static_cast<long>(id));
    Py_XINCREF(kept[id]);
    return kept[id];
}

// Python's collector would look at a list that grows by hundreds of thousands of pairs again and
// again, and find nothing. Only under the GIL.
class NoCollection {
 public:
    NoCollection() : was_on_(PyGC_Disable() != 0) {}
    ~NoCollection() {
        if (was_on_) PyGC_Enable();
    }
    NoCollection(const NoCollection&) = delete;
    NoCollection& operator=(const NoCollection&) = delete;

 private:
    bool was_on_;
};

// What a pair of integers takes: itself, and one integer that is its own.
constexpr size_t kPairBytes = 64 + 32;

uint32_t read_id(PyObject* item) {
    py::object index;
    if (!PyLong_CheckExact(item)) {
        index = py::reinterpret_steal<py::object>(PyNumber_Index(item));
        if (!index) throw py::error_already_set();
        item = index.ptr();
    }
    const long long id = PyLong_AsLongLong(item);
    if (id < 0 || id > UINT32_MAX) {
        PyErr_Clear();  // -1 may be an id out of range or an overflow: the message is the same
        throw std::invalid_argument("token id " + std::string(py::str(item)) +
                                    " is out of range; ids are from 0 to 4294967295");
    }
    return static_cast<uint32_t>(id);
}

// The elements of a contiguous array of native unsigned 32-bit integers.
bool read_array(PyObject* object, std::vector<uint32_t>& out) {
    if (!PyObject_CheckBuffer(object) || PyBytes_Check(object)) return false;
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_FORMAT | PyBUF_ND | PyBUF_C_CONTIGUOUS) != 0) {
        PyErr_Clear();
        return false;
    }
    const bool fits = view.ndim == 1 && view.itemsize == sizeof(uint32_t) &&
                      view.format != nullptr && std::strcmp(view.format, "I") == 0;
    if (fits) {
        const auto* const first = static_cast<const uint32_t*>(view.buf);
        out.assign(first, first + view.shape[0]);
    }
    PyBuffer_Release(&view);
    return fits;
}

}  // namespace

PyObject* to_list(std::span<const uint32_t> ids) {
    auto list = py::reinterpret_steal<py::object>(PyList_New(static_cast<Py_ssize_t>(ids.size())));
    if (!list) throw py::error_already_set();
    for (size_t i = 0; i < ids.size(); ++i) {
        PyObject* const id = new_integer(ids[i]);
        if (id == nullptr) throw py::error_already_set();
        PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), id);
    }
    return list.release().ptr();
}

PyObject* to_list(std::span<const Span> spans) {
    const NoCollection pause;
    const ObjectPages pages(spans.size() * kPairBytes);
    auto list =
        py::reinterpret_steal<py::object>(PyList_New(static_cast<Py_ssize_t>(spans.size())));
    if (!list) throw py::error_already_set();
    // Where a token starts is most often where the last one ended.
    PyObject* last = nullptr;  // lives in the list
    uint32_t value = 0;
    for (size_t i = 0; i < spans.size(); ++i) {
        const auto [begin, end] = spans[i];
        PyObject* const pair = PyTuple_New(2);
        if (pair == nullptr) throw py::error_already_set();
        // Two integers make no cycle; the collector would look at each pair only to find that out.
        PyObject_GC_UnTrack(pair);
        PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), pair);
        PyObject* const first =
            last != nullptr && value == begin ? Py_NewRef(last) : new_integer(begin);
        if (first == nullptr) throw py::error_already_set();
        PyTuple_SET_ITEM(pair, 0, first);
        last = new_integer(end);
        if (last == nullptr) throw py::error_already_set();
        PyTuple_SET_ITEM(pair, 1, last);
        value = end;
    }
    return list.release().ptr();
}

std::vector<uint32_t> read_ids(py::handle ids) {
    std::vector<uint32_t> out;
    if (read_array(ids.ptr(), out)) return out;
    // A list may change while an element's __index__ runs, a tuple cannot.
    if (PyList_CheckExact(ids.ptr()) || PyTuple_CheckExact(ids.ptr())) {
        out.reserve(static_cast<size_t>(PySequence_Fast_GET_SIZE(ids.ptr())));
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(ids.ptr()); ++i) {
            const py::object item =
                py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(ids.ptr(), i));
            out.push_back(read_id(item.ptr()));
        }
        return out;
    }
    if (!PySequence_Check(ids.ptr())) {
        throw py::type_error("ids must be a sequence of integers, not " +
                             std::string(Py_TYPE(ids.ptr())->tp_name));
    }
    for (py::handle item : py::reinterpret_borrow<py::sequence>(ids)) {
        out.push_back(read_id(item.ptr()));
    }
    return out;
}

}  // namespace edgeward::bindings
