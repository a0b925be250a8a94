// A text that Python hands over.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>

#include "tokenizer/utf8.h"

namespace edgeward::bindings {

// The text of a str or bytes object as valid UTF-8. Borrowed from the object where it can be.
class Text {
 public:
    explicit Text(pybind11::handle object) {
        if (PyUnicode_Check(object.ptr())) {
            Py_ssize_t size = 0;
            if (const char* data = PyUnicode_AsUTF8AndSize(object.ptr(), &size)) {
                view_ = {data, static_cast<size_t>(size)};
                return;
            }
            PyErr_Clear();
            take_surrogates(object);
        } else if (PyBytes_Check(object.ptr())) {
            view_ = {PyBytes_AS_STRING(object.ptr()),
                     static_cast<size_t>(PyBytes_GET_SIZE(object.ptr()))};
            raw_ = true;
        } else {
            throw pybind11::type_error("text must be str or bytes, not " +
                                       std::string(Py_TYPE(object.ptr())->tp_name));
        }
    }
    Text(const Text&) = delete;
    Text(Text&&) = default;

    // Needs no GIL: replaces what is not UTF-8.
    std::string_view valid() {
        if (raw_ && utf8_valid_prefix(view_) != view_.size()) {
            owned_ = utf8_lossy(view_);
            raw_ = false;
            replaced_ = true;
        }
        return replaced_ ? std::string_view(owned_) : view_;
    }
    size_t size() const { return replaced_ ? owned_.size() : view_.size(); }

 private:
    // A str with lone surrogates has no UTF-8: each becomes U+FFFD.
    void take_surrogates(pybind11::handle object) {
        const Py_ssize_t length = PyUnicode_GET_LENGTH(object.ptr());
        for (Py_ssize_t i = 0; i < length; ++i) {
            const Py_UCS4 c = PyUnicode_READ_CHAR(object.ptr(), i);
            utf8_append(owned_, c >= 0xD800 && c <= 0xDFFF ? kReplacement : char32_t{c});
        }
        replaced_ = true;
    }

    std::string_view view_;
    std::string owned_;
    bool raw_ = false;
    bool replaced_ = false;
};

}  // namespace edgeward::bindings
