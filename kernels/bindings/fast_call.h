// Methods of bound classes without pybind11's dispatch, for calls that are made by the million: its
// argument loader alone costs more than the tokens of a short message.
//
// Knows: CPython's vector calls and how a bound object holds its C++ one. Does not know: any class.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <exception>
#include <new>
#include <span>
#include <stdexcept>
#include <string>

namespace edgeward::bindings {

// The C++ object behind `self`, whose type CPython has checked; for final classes without bases.
template <class T>
T& bound_object(PyObject* self) {
    auto* const instance = reinterpret_cast<pybind11::detail::instance*>(self);
    void* const object = instance->simple_layout ? instance->simple_value_holder[0] : nullptr;
    if (object == nullptr) throw pybind11::type_error("the object was not initialized");
    return *static_cast<T*>(object);
}

// A call's arguments by the names of the method's parameters; null where none was given.
template <size_t kCount>
std::array<PyObject*, kCount> read_arguments(const std::array<const char*, kCount>& names,
                                             size_t required, PyObject* const* args,
                                             Py_ssize_t count, PyObject* keywords) {
    std::array<PyObject*, kCount> found{};
    if (count > static_cast<Py_ssize_t>(kCount)) {
        throw pybind11::type_error("at most " + std::to_string(kCount) +
                                   " arguments are expected, not " + std::to_string(count));
    }
    for (Py_ssize_t i = 0; i < count; ++i) found[static_cast<size_t>(i)] = args[i];
    const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t k = 0; k < named; ++k) {
        PyObject* const name = PyTuple_GET_ITEM(keywords, k);
        size_t i = 0;
        while (i < kCount && PyUnicode_CompareWithASCIIString(name, names[i]) != 0) ++i;
        if (i == kCount || found[i] != nullptr) {
            throw pybind11::type_error("unexpected argument " +
                                       std::string(pybind11::repr(pybind11::handle(name))));
        }
        found[i] = args[count + k];
    }
    for (size_t i = 0; i < required; ++i) {
        if (found[i] == nullptr) {
            throw pybind11::type_error("missing argument '" + std::string(names[i]) + "'");
        }
    }
    return found;
}

inline bool read_flag(PyObject* value, bool fallback) {
    if (value == nullptr) return fallback;
    if (value == Py_True || value == Py_False) return value == Py_True;
    const int truth = PyObject_IsTrue(value);
    if (truth < 0) throw pybind11::error_already_set();
    return truth != 0;
}

// The result of `work()`, or null with the Python exception set that stands for what it threw.
template <class Work>
PyObject* guarded(Work&& work) noexcept {
    try {
        return work();
    } catch (pybind11::error_already_set& error) {
        error.restore();
    } catch (const pybind11::builtin_exception& error) {
        error.set_error();
    } catch (const std::bad_alloc&) {
        PyErr_NoMemory();
    } catch (const std::invalid_argument& error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const std::length_error& error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

// Adds METH_FASTCALL | METH_KEYWORDS methods; `definitions` must live as long as the class.
inline void add_fast_methods(pybind11::handle cls, std::span<PyMethodDef> definitions) {
    for (PyMethodDef& definition : definitions) {
        auto* const type = reinterpret_cast<PyTypeObject*>(cls.ptr());
        const auto method =
            pybind11::reinterpret_steal<pybind11::object>(PyDescr_NewMethod(type, &definition));
        if (!method) throw pybind11::error_already_set();
        pybind11::setattr(cls, definition.ml_name, method);
    }
}

}  // namespace edgeward::bindings
