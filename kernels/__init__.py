"""Native kernels: tokenizer, sampling, incremental text. They know bytes and numbers, no requests.

`_native` is C++ bound by pybind11 (sources beside this file), `_text` is Cython. The slow, obvious
twin of every kernel is in `reference`.
"""
