"""A pack's whole report: opens pack, text and reference, and puts the figures together."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import edgeward
from edgeward import manifest as m
from edgeward.errors import OptionError
from edgeward.kernels import operators
from edgeward.pack import MANIFEST, TOKENIZER, Pack
from edgeward.quantize.intake import read_model
from edgeward.tokenizer import Tokenizer

from . import intervals, vectors
from .divergence import divergence
from .losses import Losses, compare, join
from .measure import WINDOW, cut, pieces
from .pack import Text, beginning, builtin_text
from .references import FloatReference, PackReference, Reference
from .report import FORMAT, PackFacts, ReferenceFacts, Report, TextFacts
from .session import scorer

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
        folder: a pack's folder.
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
    pack = Pack.open(folder)
    chosen = _graph(pack.manifest, graph)
    text = text or builtin_text()
    if pack.manifest.embedding is not None:
        return _encoder(pack, chosen, reference, text, threads)
    tokenizer = Tokenizer.from_file(pack.path(TOKENIZER))
    cut_text = _windows(tokenizer, text, pack.manifest.architecture.context, window, windows)
    facts = TextFacts(
        name=text.name,
        sha256=text.sha256,
        windows=len(cut_text),
        window=cut_text.shape[1],
        positions=cut_text.shape[0] * (cut_text.shape[1] - cut_text.shape[1] // 2),
    )
    against = None if reference is None else _reference(reference, pack, threads)
    losses = measure_losses(pack.path(chosen.file), against, cut_text, threads=threads, tell=tell)
    perplexity = intervals.of_mean(losses.nll, np.exp)
    report = Report(
        format=FORMAT,
        edgeward=edgeward.__version__,
        pack=_facts(pack, chosen),
        text=facts,
        perplexity=perplexity,
    )
    if reference is None or against is None:
        return report
    told = _kind(reference)
    found = None
    if greedy:
        found = divergence(
            pack,
            chosen,
            against,
            cut_text,
            threads=threads,
            progress=lambda done, total: tell("greedy", done, total),
        )
    return Report(
        format=FORMAT,
        edgeward=edgeward.__version__,
        pack=report.pack,
        text=facts,
        reference=ReferenceFacts(kind=told, path=str(reference)),
        perplexity=perplexity,
        reference_perplexity=intervals.of_mean(losses.reference_nll, np.exp),
        mean_kl=intervals.of_mean(losses.kl),
        p99_kl=intervals.of_percentile(losses.kl, 99),
        top1_agreement=intervals.of_mean(losses.same_choice.astype(np.float64)),
        greedy=found,
    )


def measure_losses(
    graph: Path,
    reference: Reference | None,
    windows: NDArray[np.int64],
    *,
    threads: int | None = None,
    tell: Tell = lambda phase, done, total: None,
) -> Losses:
    """Losses of every position in the second half of each window.

    Without a reference the graph is its own, and only `nll` says something.
    """
    count, window = windows.shape
    start = window // 2
    if reference is not None:
        reference.read(windows, start, lambda done, total: tell("reference", done, total))
    scoring = scorer(graph, threads)
    losses: list[Losses] = []
    for number, ids in enumerate(windows):
        logits = scoring.logits(ids, start)
        following = ids[start + 1 :]
        for begin, end in pieces(window - start, logits.shape[1]):
            got = logits[begin:end]
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


def _reference(path: Path, pack: Pack, threads: int | None) -> Reference:
    vocabulary = pack.manifest.architecture.vocabulary
    if _kind(path) == "pack":
        other = Pack.open(path)
        theirs = other.manifest.architecture.vocabulary
        made: Reference = PackReference(other.path(_graph(other.manifest, None).file), threads)
    else:
        weights = read_model(path)
        theirs = weights.architecture.vocabulary
        made = FloatReference(weights, threads)
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
