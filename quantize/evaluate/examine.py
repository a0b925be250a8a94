"""A pack's whole report: opens pack, text and reference, and puts the figures together."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

import edgeward
from edgeward import manifest as m
from edgeward.errors import OptionError
from edgeward.kernels import operators
from edgeward.pack import MANIFEST, TOKENIZER, Pack
from edgeward.quantize.intake import read_model
from edgeward.quantize.model_files import model_files, model_sha256
from edgeward.quantize.tokenizer_files import collect
from edgeward.tokenizer import Tokenizer

from . import intervals, vectors
from .divergence import divergence
from .losses import Losses, compare, join
from .measure import WINDOW, cut, pieces
from .pack import Text, beginning, builtin_text
from .references import FloatReference, PackReference, Reference
from .report import FORMAT, PackFacts, ReferenceFacts, Report, TextFacts

Tell = Callable[[str, int, int], None]

_SHORTEST_LINE, _MOST_TEXTS = 20, 200


def examine(
    folder: Path,
    reference: Path | None = None,
    text: Text | None = None,
    *,
    window: int | None = None,
    windows: int | None = None,
    graph: str | None = None,
    greedy: bool = True,
    threads: int | None = None,
    tell: Tell = lambda phase, done, total: None,
) -> Report:
    """Measure the pack in `folder`, against `reference` where there is one.

    Args:
        folder: a pack's folder; or a GGUF file or Hugging Face folder, whose weights are then taken
            as they are, in float32 arithmetic and without greedy continuations.
        reference: the GGUF file or Hugging Face folder it was made from, or another pack's folder.
        text: what to measure on; by default the built-in text. An encoder gets its lines.
        window: tokens read together, 512 by default.
        windows: how many at most; by default as many as the text has.
        graph: "portable" or "fused"; by default the one that `edgeward.load` would run.
        greedy: also compare greedy continuations.
        threads: of arithmetic; by default one for each core this process may use.
        tell: told (phase, done, total).

    Raises `PackError`, `IntakeError`, `OptionError`, `TokenizerError`.
    """
    text = text or builtin_text()
    if not (folder / MANIFEST).is_file() and folder.exists():
        return _model(folder, reference, text, window, windows, threads, tell)
    pack = Pack.open(folder)
    chosen = _graph(pack.manifest, graph)
    if pack.manifest.embedding is not None:
        return _encoder(pack, chosen, reference, text, threads)
    vocabulary, context = pack.manifest.architecture.vocabulary, pack.manifest.architecture.context
    tokenizer = Tokenizer.from_file(pack.path(TOKENIZER))
    rows = _windows(tokenizer, text, context, window, windows)
    against = None if reference is None else _reference(reference, vocabulary, threads)
    measured = PackReference(pack.path(chosen.file), threads)
    losses = measure_losses(measured, against, rows, tell)
    report = _report(_facts(pack, chosen), text, rows, reference, losses)
    if against is None or not greedy:
        return report
    found = divergence(
        pack,
        chosen,
        against,
        rows,
        threads=threads,
        progress=lambda done, total: tell("greedy", done, total),
    )
    return msgspec.structs.replace(report, greedy=found)


def _model(
    path: Path,
    reference: Path | None,
    text: Text,
    window: int | None,
    windows: int | None,
    threads: int | None,
    tell: Tell,
) -> Report:
    """A model's file or folder that is no pack: its weights as they are, in float32 arithmetic."""
    weights = read_model(path)
    shape = weights.architecture
    files = collect(path, weights.metadata)
    with tempfile.TemporaryDirectory() as space:
        (Path(space) / TOKENIZER).write_bytes(files.tokenizer)
        tokenizer = Tokenizer.from_file(Path(space) / TOKENIZER)
        rows = _windows(tokenizer, text, shape.context, window, windows)
    against = None if reference is None else _reference(reference, shape.vocabulary, threads)
    losses = measure_losses(FloatReference(weights, threads), against, rows, tell)
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else model_files(path)))
    numbers = sum(math.prod(s) for s in shape.shapes().values() if len(s) == 2)
    facts = PackFacts(
        name=path.name,
        sha256=model_sha256(path),
        graph="float32",
        bytes=size,
        graph_bytes=size,
        weight_bytes=size,
        bits_per_weight=round(8 * size / numbers, 3),
    )
    return _report(facts, text, rows, reference, losses)


def _report(
    facts: PackFacts,
    text: Text,
    rows: NDArray[np.int64],
    reference: Path | None,
    losses: Losses,
) -> Report:
    count, length = rows.shape
    report = Report(
        format=FORMAT,
        edgeward=edgeward.__version__,
        pack=facts,
        text=TextFacts(
            name=text.name,
            sha256=text.sha256,
            windows=count,
            window=length,
            positions=losses.kl.size,
        ),
        perplexity=intervals.of_mean(losses.nll, np.exp),
    )
    if reference is None:
        return report
    return msgspec.structs.replace(
        report,
        reference=ReferenceFacts(kind=_kind(reference), path=str(reference)),
        reference_perplexity=intervals.of_mean(losses.reference_nll, np.exp),
        mean_kl=intervals.of_mean(losses.kl),
        p99_kl=intervals.of_percentile(losses.kl, 99),
        top1_agreement=intervals.of_mean(losses.same_choice.astype(np.float64)),
    )


def measure_losses(
    measured: Reference,
    reference: Reference | None,
    windows: NDArray[np.int64],
    tell: Tell = lambda phase, done, total: None,
) -> Losses:
    """Losses of every position in the second half of each window.

    Without a reference the model is its own, and only `nll` says something.
    """
    count, window = windows.shape
    start = window // 2
    if reference is not None:
        reference.read(windows, start, lambda done, total: tell("reference", done, total))
    measured.read(windows, start, lambda done, total: tell("model", done, total))
    losses: list[Losses] = []
    for number, ids in enumerate(windows):
        following = ids[start + 1 :]
        for begin, end in pieces(window - start, measured.vocabulary):
            got = measured.logits(number, begin, end)
            expected = got.copy() if reference is None else reference.logits(number, begin, end)
            losses.append(compare(expected, got, following[begin:end]))
        tell("measure", number + 1, count)
    return join(losses)


def _windows(
    tokenizer: Tokenizer, text: Text, context: int, window: int | None, most: int | None
) -> NDArray[np.int64]:
    ids = tokenizer.encode(text.content, add_special_tokens=False)
    if window is None:
        window = max(2, min(WINDOW, context, len(ids)))
    if not 2 <= window <= context:
        raise OptionError(f"window={window} must lie in 2 .. {context}, the model's context.")
    if most is not None and most < 1:
        raise OptionError(f"windows={most} must be at least 1.")
    return cut(ids, window, most, begin=beginning(tokenizer))


def _graph(manifest: m.Manifest, kind: str | None) -> m.Graph:
    found = {graph.kind: graph for graph in manifest.graphs}
    if kind is None:
        kind = "fused" if "fused" in found and operators.problem() is None else "portable"
    if kind not in found:
        raise OptionError(f"graph={kind!r}; the pack has {', '.join(map(repr, found))}.")
    return found[kind]


def _kind(reference: Path) -> str:
    if (reference / MANIFEST).is_file():
        return "pack"
    return "safetensors" if reference.is_dir() else "gguf"


def _reference(path: Path, vocabulary: int, threads: int | None) -> Reference:
    if _kind(path) == "pack":
        other = Pack.open(path)
        made: Reference = PackReference(other.path(_graph(other.manifest, None).file), threads)
    else:
        made = FloatReference(read_model(path), threads)
    theirs = made.vocabulary
    if theirs != vocabulary:
        raise OptionError(
            f"{path} has a vocabulary of {theirs}, the pack {vocabulary}: they are not the same "
            f"model. Give the source that the pack was made from."
        )
    return made


def _facts(pack: Pack, graph: m.Graph) -> PackFacts:
    files = pack.manifest.files
    weights = sum(g.bytes for g in graph.quantization or pack.manifest.quantization)
    return PackFacts(
        name=pack.manifest.name,
        sha256=pack.sha256,
        graph=graph.kind,
        bytes=sum(entry.size for entry in files.values()),
        graph_bytes=files[graph.file].size + files[graph.data].size,
        weight_bytes=weights,
        bits_per_weight=round(8 * weights / _weights(pack.manifest.architecture), 3),
    )


def _weights(a: m.Architecture) -> int:
    """Numbers in the matrices of the model; an encoder's has two matrices in its MLP, not three."""
    query, pair = a.heads * a.head_dim, 2 * a.kv_heads * a.head_dim
    mlp = (2 if a.family == "bert" else 3) * a.intermediate
    words = a.vocabulary * (1 if a.tied_head or a.family == "bert" else 2)
    return a.hidden * (a.layers * (2 * query + pair + mlp) + words)


def _encoder(
    pack: Pack, graph: m.Graph, reference: Path | None, text: Text, threads: int | None
) -> Report:
    if reference is None:
        raise OptionError(f"{pack.manifest.name} is an encoder: give --reference, its source.")
    lines = [line.strip() for line in text.content.splitlines()]
    texts = [line for line in lines if len(line) >= _SHORTEST_LINE][:_MOST_TEXTS]
    if len(texts) < 3:
        raise OptionError(
            f"{text.name} has {len(texts)} lines of {_SHORTEST_LINE} characters or more; at least "
            f"3 are needed to compare similarities."
        )
    with edgeward.load(pack.folder, threads=threads) as model:
        got = model.embed(texts, truncate=True)
    with tempfile.TemporaryDirectory() as space:
        folder = reference
        if _kind(reference) != "pack":
            folder = Path(space) / "reference"
            _float_encoder(reference, folder, pack)
        with edgeward.load(folder, threads=threads) as model:
            expected = model.embed(texts, truncate=True)
    longest = pack.manifest.architecture.context
    return Report(
        format=FORMAT,
        edgeward=edgeward.__version__,
        pack=_facts(pack, graph),
        text=TextFacts(
            name=text.name, sha256=text.sha256, windows=len(texts), window=longest, positions=0
        ),
        reference=ReferenceFacts(kind=_kind(reference), path=str(reference)),
        vectors=vectors.compare(expected, got),
    )


def _float_encoder(source: Path, out: Path, pack: Pack) -> None:
    from edgeward.quantize.convert_encoder import convert_encoder

    convert_encoder(
        source,
        out,
        name="reference",
        source=pack.manifest.source,
        licence=pack.manifest.licence,
        tokenizer=pack.path(TOKENIZER).read_bytes(),
        bits=32,
    )
