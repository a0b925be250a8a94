"""`edgeward.load`: from a name or a folder to a model that answers."""

from __future__ import annotations

import time
from pathlib import Path

from edgeward.kernels import _native

from . import machine, store
from .engine import PREFILL_CHUNK, Engine
from .errors import OptionError
from .kv_cache import CachePool, CacheShape
from .manifest import Graph, Manifest
from .memory import plan_memory
from .model import Model, ModelInfo
from .pack import COMPILED_TOKENIZER, MANIFEST, TOKENIZER, Pack
from .tokenizer import Tokenizer


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
    cores), `graph` the kind of graph to run (None: the best this machine can), `context` tokens
    for prompt and answer together (None: the model's own, or what fits), `memory_limit` bytes that
    weights, caches and scratch may take together (None: what the machine has free).

    Raises `PackError` for a missing, damaged or altered pack, `MemoryLimit` when it does not fit,
    `OptionError` for a wrong argument.

    >>> model = load("smollm2-135m")  # doctest: +SKIP
    """
    _check_device(device)
    threads = _check_threads(threads)
    began = time.perf_counter()
    pack = Pack.open(_folder(source))
    manifest = pack.manifest
    chosen = _choose_graph(manifest, graph)
    a = manifest.architecture
    full = CacheShape(a.layers, a.kv_heads, a.context, a.head_dim)
    memory = plan_memory(manifest, full, PREFILL_CHUNK, context, memory_limit)
    tokenizer = _tokenizer(pack)
    engine = Engine(pack, chosen, threads)
    pool = CachePool(engine.cache_shape(memory.context), limit=memory.requests)
    info = ModelInfo(
        name=manifest.name,
        licence=manifest.licence,
        folder=str(pack.folder),
        pack_sha256=pack.sha256,
        architecture=a,
        quantization=tuple(manifest.quantization),
        evaluation=manifest.evaluation,
        graph=chosen.file,
        graph_kind=chosen.kind,
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


def _folder(source: str | Path) -> Path:
    """A path is taken as it is; a bare name is looked up in the store first."""
    if isinstance(source, Path) or "/" in source:
        return Path(source)
    if source in store.pack_names() or not (Path(source) / MANIFEST).is_file():
        return store.find(source)
    return Path(source)


def _choose_graph(manifest: Manifest, kind: str | None) -> Graph:
    # The fused graph needs operators that this version does not have.
    runnable = [g for g in manifest.graphs if g.kind == "portable"]
    chosen = next((g for g in runnable if kind in (None, g.kind)), None)
    if chosen is None:
        has = ", ".join(repr(g.kind) for g in manifest.graphs)
        raise OptionError(
            f"graph={kind!r}; the pack {manifest.name!r} has {has}, this version runs 'portable'."
        )
    return chosen
