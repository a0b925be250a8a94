"""Edgeward: small language models on the device they are used on.

`edgeward.load` opens a pack, `edgeward.pull` makes one. Names are loaded when first used, so that
importing the package costs no more than it must.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# ONNX Runtime's official wheels report to their vendor unless told otherwise before they are
# imported (their docs/Privacy.md); a later call is too late, so it is the first thing done here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .errors import EdgewardError as EdgewardError
    from .tokenizer import Tokenizer as Tokenizer

# Public name -> module that defines it.
_HOMES = {
    "EdgewardError": "edgeward.errors",
    "Tokenizer": "edgeward.tokenizer",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'edgeward' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
