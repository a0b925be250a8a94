"""`edgeward.load`: from a name or a folder to a model that answers."""

from __future__ import annotations

import time
from pathlib import Path

from edgeward.kernels import _native

from . import fused_runs, machine, store
from .encoder import load_encoder
from .engine import PREFILL_CHUNK, Engine, shape_of
from .errors import OptionError, PackError
from .kv_cache import CachePool
from .manifest import Graph, Manifest
from .memory import MemoryPlan, plan_memory
from .model import Model, ModelInfo
from .pack import COMPILED_TOKENIZER, TOKENIZER, Pack
from .tokenizer import Tokenizer

KINDS = ("fused", "portable")


def load(
    source: str | Path,
    *,
    device: str = "cpu",
    threads: int | None = None,
    graph: str | None = None,
    context: int | None = None,
    memory_limit: int | None = None,
) -> Model:
    """Open a pack and make it ready to answer.

    `source` is a pack's folder or the name of a pack in the local store (`edgeward pull` puts it
    there; nothing is downloaded here). `threads` of arithmetic per step (None: all physical
    cores), `graph` the kind of graph to run, "fused" or "portable" (None: the fused one where it
    runs, `Model.info.graph_reason` says why where not), `context` tokens
    for prompt and answer together (None: the model's own, or what fits), `memory_limit` bytes that
    weights, caches and scratch may take together (None: what the machine has free).

    Raises `PackError` for a missing, damaged or altered pack, `MemoryLimit` when it does not fit,
    `OptionError` for a wrong argument.

    >>> model = load("smollm2-135m")  # doctest: +SKIP
    """
    _check_device(device)
    threads = _check_threads(threads)
    if graph is not None and graph not in KINDS:
        raise OptionError(f"graph={graph!r}; known are {' and '.join(map(repr, KINDS))}, or None.")
    began = time.perf_counter()
    pack = Pack.open(store.folder_of(source), graph=graph or "fused")
    manifest = pack.manifest
    if manifest.embedding is not None:
        if graph == "fused":
            raise OptionError("graph='fused'; encoders have a portable graph only. Leave it out.")
        return load_encoder(pack, manifest.embedding, _tokenizer(pack), threads, memory_limit)
    chosen, reason = _choose_graph(manifest, graph)
    memory = _memory(manifest, chosen, context, memory_limit)
    tokenizer = _tokenizer(pack)
    try:
        engine = Engine(pack, chosen, threads)
    except PackError as error:
        if graph is not None or chosen.kind == "portable":
            raise
        chosen, reason = _portable(manifest), str(error)
        memory = _memory(manifest, chosen, context, memory_limit)
        pack.verify(chosen)
        engine = Engine(pack, chosen, threads)
    pool = CachePool(engine.cache_shape(memory.context), limit=memory.requests)
    info = ModelInfo(
        name=manifest.name,
        licence=manifest.licence,
        folder=str(pack.folder),
        pack_sha256=pack.sha256,
        architecture=manifest.architecture,
        quantization=tuple(chosen.quantization or manifest.quantization),
        # Another graph's loss says nothing about this one's.
        evaluation=manifest.evaluation if chosen.kind == "portable" else chosen.evaluation,
        graph=chosen.file,
        graph_kind=chosen.kind,
        graph_reason=reason,
        provider=engine.provider,
        threads=threads,
        instruction_set=_native.active_isa(),
        context=memory.context,
        memory=memory,
        load_ms=(time.perf_counter() - began) * 1000,
    )
    return Model(engine, tokenizer, pool, info)


def _tokenizer(pack: Pack) -> Tokenizer:
    """The mapped one where the pack has it: packs of earlier versions, and some kinds, do not."""
    file = pack.path(TOKENIZER)
    if COMPILED_TOKENIZER not in pack.manifest.files:
        return Tokenizer.from_file(file)
    sha256 = pack.manifest.files[TOKENIZER].sha256
    return Tokenizer.from_compiled(pack.path(COMPILED_TOKENIZER), file, sha256)


def _check_device(device: str) -> None:
    if device != "cpu":
        raise OptionError(f"device={device!r}; this version runs on 'cpu'.")


def _check_threads(threads: int | None) -> int:
    if threads is None:
        return machine.physical_cores()
    most = len(machine.usable_cpus())
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= most:
        raise OptionError(
            f"threads={threads!r}; this process may use 1 to {most}. Leave it out for "
            f"{machine.physical_cores()}, one a physical core."
        )
    return threads


def _memory(manifest: Manifest, graph: Graph, context: int | None, limit: int | None) -> MemoryPlan:
    full = shape_of(manifest.architecture, graph, manifest.architecture.context)
    return plan_memory(manifest, graph, full, PREFILL_CHUNK, context, limit)


def _choose_graph(manifest: Manifest, kind: str | None) -> tuple[Graph, str]:
    """The graph to run, and why it is not the fused one where it could have been."""
    found = {g.kind: g for g in manifest.graphs}
    if kind is not None and kind not in found:
        raise OptionError(
            f"graph={kind!r}; the pack {manifest.name!r} has {', '.join(map(repr, found))}. Make "
            f"the pack anew with `edgeward pull`, or leave graph out."
        )
    if kind == "portable":
        return found["portable"], "asked for"
    if "fused" not in found:
        return _portable(manifest), "the pack has no fused graph"
    against = fused_runs.reason_against()
    if against is None:
        return found["fused"], ""
    if kind == "fused":
        raise OptionError(f"graph='fused': {against}. Leave graph out to run the portable one.")
    return _portable(manifest), against


def _portable(manifest: Manifest) -> Graph:
    found = next((g for g in manifest.graphs if g.kind == "portable"), None)
    if found is None:
        raise PackError(
            f"the pack {manifest.name!r} has no graph that runs here: "
            f"{fused_runs.reason_against() or 'its fused graph cannot be loaded'}."
        )
    return found
