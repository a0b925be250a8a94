"""Edgeward: small language models on the device they are used on.

`edgeward.load` opens a pack, `edgeward.pull` makes one, `edgeward.serve` answers under limits.
Names are loaded when first used, so that importing the package costs no more than it must.
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
    from .bulk.batch import BatchReport as BatchReport
    from .bulk.batch import batch as batch
    from .cancel import CancelToken as CancelToken
    from .errors import EdgewardError as EdgewardError
    from .load import load as load
    from .model import Model as Model
    from .reply import Chunk as Chunk
    from .reply import Reply as Reply
    from .safety import Check as Check
    from .safety import Verdict as Verdict
    from .safety import jailbreak_detector as jailbreak_detector
    from .safety import phrase_filter as phrase_filter
    from .safety import pii_filter as pii_filter
    from .safety import toxicity_filter as toxicity_filter
    from .safety.check import SafetyCheck as SafetyCheck
    from .sampling import SamplingOptions as SamplingOptions
    from .service.budget import Budget as Budget
    from .service.cost import Prices as Prices
    from .service.serve import serve as serve
    from .service.service import Service as Service
    from .stream import AsyncStream as AsyncStream
    from .stream import Stream as Stream
    from .tokenizer import Tokenizer as Tokenizer

# Public name -> module that defines it. `pull` lives in the tools that make packs: running a pack
# does not need them.
_HOMES = {
    "AsyncStream": "edgeward.stream",
    "BatchReport": "edgeward.bulk.batch",
    "Budget": "edgeward.service.budget",
    "CancelToken": "edgeward.cancel",
    "Chunk": "edgeward.reply",
    "EdgewardError": "edgeward.errors",
    "Model": "edgeward.model",
    "Prices": "edgeward.service.cost",
    "Reply": "edgeward.reply",
    "SafetyCheck": "edgeward.safety",
    "SamplingOptions": "edgeward.sampling",
    "Service": "edgeward.service.service",
    "Stream": "edgeward.stream",
    "Tokenizer": "edgeward.tokenizer",
    "Verdict": "edgeward.safety",
    "batch": "edgeward.bulk.batch",
    "jailbreak_detector": "edgeward.safety",
    "load": "edgeward.load",
    "phrase_filter": "edgeward.safety",
    "pii_filter": "edgeward.safety",
    "pull": "edgeward.quantize.pull",
    "serve": "edgeward.service.serve",
    "toxicity_filter": "edgeward.safety",
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
