"""Makes the peers of docs/quality.md: a GGUF in float32, and from that llama.cpp's Q4_0 and Q4_K_M.

Needs llama-cpp-python, in an environment of its own:

    VENV/bin/python tools/make_gguf_peers.py SmolLM2-135M-Instruct.Q4_1.gguf smollm2
"""

from __future__ import annotations

import ctypes
import sys

import llama_cpp


def requantize(source: str, made: str, form: int) -> None:
    """Write the GGUF `source` anew as type `form`."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = form
    options.allow_requantize = True
    if llama_cpp.llama_model_quantize(source.encode(), made.encode(), ctypes.byref(options)):
        raise SystemExit(f"{made} was not made: see llama.cpp's messages above.")


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source, name = sys.argv[1:]
    plain = f"{name}.F32.gguf"
    requantize(source, plain, llama_cpp.LLAMA_FTYPE_ALL_F32)
    requantize(plain, f"{name}.Q4_0.gguf", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0)
    requantize(plain, f"{name}.Q4_K_M.gguf", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M)


if __name__ == "__main__":
    main()
