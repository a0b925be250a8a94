"""What replays a request, without the prompt's text."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid

import numpy as np

import edgeward
from edgeward.kernels import _native

from .engine import Engine
from .reply import Receipt
from .request import Request


def make_receipt(engine: Engine, request: Request) -> Receipt:
    """The receipt of a request that ran on `engine`."""
    return Receipt(
        id=str(uuid.uuid4()),
        pack=engine.pack.manifest.name,
        pack_sha256=engine.pack.sha256,
        graph=engine.graph.file,
        prompt_sha256=hashlib.sha256(np.asarray(request.ids, dtype="<i8").tobytes()).hexdigest(),
        sampling=dataclasses.asdict(request.sampling)
        | (dataclasses.asdict(request.beams) if request.beams else {}),
        response_format=request.response_format,
        tool_choice=request.tool_choice,
        edgeward=edgeward.__version__,
        onnxruntime=engine.runtime_version,
        instruction_set=_native.active_isa(),
        cpu_features=tuple(_native.cpu_features()),
        safety=() if request.screen is None else request.screen.described(),
    )
