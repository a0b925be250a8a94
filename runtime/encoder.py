"""An encoder's pack as a `Model` that embeds texts. Knows how to load one and what it cannot do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

from . import manifest as m
from .embedder import BATCH_TOKENS, Embedder
from .engine import open_session
from .errors import MemoryLimit, ModelClosed, OptionError
from .graph_file import check_graph
from .machine import available_memory
from .memory import MemoryPlan
from .model import Model, ModelInfo
from .pack import WEIGHTS, Pack
from .tokenizer import Tokenizer


class EncoderModel(Model):
    """`Model` for an encoder: `embed` works, what writes text is an `OptionError`."""

    def __init__(self, embedder: Embedder, tokenizer: Tokenizer, info: ModelInfo) -> None:
        self.tokenizer = tokenizer
        self.info = info
        self._embedder: Embedder | None = embedder

    def close(self) -> None:
        """Give the memory back."""
        self._embedder = None

    def embed(self, texts: str | Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        if self._embedder is None:
            raise ModelClosed(f"the model {self.info.name!r} was closed; load it again.")
        return self._embedder.embed(texts, truncate=truncate)

    def generate(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse()

    def chat(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise OptionError(
            f"{self.info.name!r} is an encoder: it turns texts into vectors (`embed`) and writes "
            f"none. Load a language model to generate or chat."
        )


def memory_plan(manifest: m.Manifest, embedding: m.Embedding, limit: int | None) -> MemoryPlan:
    """What the encoder takes at most; `MemoryLimit` when that is not there."""
    a = manifest.architecture
    weights = manifest.files[WEIGHTS].size
    wide = 6 * a.hidden + 2 * a.intermediate
    scores = a.heads * BATCH_TOKENS * embedding.longest
    plan = MemoryPlan(
        weights, weights, 4 * (BATCH_TOKENS * wide + 2 * scores), 0, embedding.longest, None
    )
    allowed = limit if limit is not None else available_memory()
    if allowed is not None and plan.total > allowed:
        raise MemoryLimit(
            f"{manifest.name} needs {plan.total} bytes, {allowed} are allowed or free. Close "
            f"other programs, or take a smaller model."
        )
    return plan


def load_encoder(
    pack: Pack, embedding: m.Embedding, tokenizer: Tokenizer, threads: int, limit: int | None
) -> EncoderModel:
    """The model in `pack`, ready to embed; `limit` bytes may be taken (None: what is free)."""
    began = time.perf_counter()
    manifest = pack.manifest
    graph = manifest.graphs[0]
    plan = memory_plan(manifest, embedding, limit)
    path = pack.path(graph.file)
    check_graph(path, graph.data, manifest.files[graph.data].size)
    session = open_session(path, threads)
    embedder = Embedder(session, tokenizer, embedding, path)
    info = ModelInfo(
        name=manifest.name,
        licence=manifest.licence,
        folder=str(pack.folder),
        pack_sha256=pack.sha256,
        architecture=manifest.architecture,
        quantization=tuple(manifest.quantization),
        evaluation=manifest.evaluation,
        graph=graph.file,
        graph_kind=graph.kind,
        graph_reason="encoders have no other",
        provider=str(session.get_providers()[0]),
        threads=threads,
        instruction_set=_native.active_isa(),
        context=embedding.longest,
        memory=plan,
        load_ms=(time.perf_counter() - began) * 1000,
    )
    return EncoderModel(embedder, tokenizer, info)
