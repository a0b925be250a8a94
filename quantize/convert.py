"""From a local model to a pack folder: intake, graph, weights, measured loss, manifest.

Knows the order of the steps. Does not know where the model was fetched from.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

import msgspec

import edgeward
from edgeward import manifest as m
from edgeward.errors import IntakeError, OptionError
from edgeward.kernels import operators
from edgeward.pack import (
    CARD,
    COMPILED_TOKENIZER,
    FUSED,
    FUSED_WEIGHTS,
    MANIFEST,
    TEMPLATE,
    TOKENIZER,
    WEIGHTS,
    file_entry,
)
from edgeward.tokenizer import Tokenizer
from edgeward.vocabularies.compiled import compile_tokenizer

from . import golden
from .calibrate import passages
from .calibrate.equalize import equalize
from .calibrate.statistics import input_rms
from .card import card
from .evaluate.pack import builtin_text, evaluate_graphs
from .families import Architecture
from .graph import decoder
from .graph import fused as fused_graph
from .graph.data_file import DataFile
from .graph.matrices import BlockMatrices, FloatMatrices, Matrices, Stored
from .intake import read_model
from .pack import atomic_folder, write_bytes
from .plan import precision
from .progress import Progress, silent
from .weights import Weights

GRAPH = "portable.onnx"
BITS = (8, 32)


@dataclass(frozen=True)
class Rounded:
    """Weights after a `Rounding`, how it was done, and the sha256 of the text it was done on."""

    weights: Weights
    recipe: m.Recipe
    calibrated_on: str | None


Rounding = Callable[[Weights, Tokenizer, Progress], Rounded]


def convert(
    model: Path,
    out: Path,
    *,
    name: str,
    source: m.Source,
    licence: str,
    tokenizer: bytes,
    chat_template: str | None,
    generation: m.Generation,
    bits: int = 8,
    calibrate: bool = True,
    evaluate: bool = True,
    rounding: Rounding | None = None,
    progress: Progress | None = None,
) -> m.Manifest:
    """Make the pack `out` of the local `model`, a GGUF file or a Hugging Face folder.

    `bits` is 8 (blocks of 8-bit weights) or 32 (float32, the reference). `tokenizer` is the
    content of tokenizer.json. With `calibrate`, 8-bit weights are balanced against the activations
    on a small built-in text (`calibrate.equalize`). With `evaluate`, the loss against the float32
    weights is measured on another one and written into the manifest. With `rounding`, what it
    makes of the weights becomes a pack of the fused graph alone, and `bits` and `calibrate` do
    nothing.

    The folder appears whole or not at all; one that is already there is replaced at the end.
    Raises `IntakeError` for a model that cannot be converted, `TokenizerError` for such a
    tokenizer, `OptionError` for other bits, `OSError` for a full disk and the like.
    """
    if bits not in BITS:
        raise OptionError(f"bits={bits!r} is not known; choose one of {BITS}.")
    tell = progress or silent
    weights = read_model(model)
    with atomic_folder(out) as folder:
        write_bytes(folder / TOKENIZER, tokenizer)
        compiled = compile_tokenizer(tokenizer)
        if compiled is not None:
            write_bytes(folder / COMPILED_TOKENIZER, compiled)
        if chat_template is not None:
            write_bytes(folder / TEMPLATE, chat_template.encode())
        words = _tokenizer(folder, weights.architecture)
        windows = passages.windows(words, weights.architecture.context)
        recipe = calibrated_on = None
        graphs: list[m.Graph] = []
        if rounding is not None:
            rounded = rounding(weights, words, tell)
            recipe, calibrated_on = rounded.recipe, rounded.calibrated_on
            graphs.append(_write_fused(rounded.weights, folder, tell))
            quantization = graphs[0].quantization
        else:
            balanced = weights
            if calibrate and bits != 32:
                calibrated_on = hashlib.sha256(passages.text().encode()).hexdigest()
                rms = input_rms(weights, windows, progress=lambda at, n: tell("calibrate", at, n))
                balanced = equalize(weights, rms)
            quantization = groups(_write_graph(balanced, folder, bits, tell))
            graphs.append(m.Graph(file=GRAPH, kind="portable"))
            if bits != 32 and fused_graph.reason_against(weights) is None:
                # The source's own blocks where the operators hold them; else portable's.
                as_it_is = fused_graph.exact(weights)
                graphs.append(_write_fused(weights if as_it_is else balanced, folder, tell))
        evaluation = None
        if evaluate:
            found = _evaluate(weights, folder, graphs, tell)
            evaluation = found[0] if found else None
            graphs = [
                msgspec.structs.replace(graph, evaluation=loss) if graph.kind == "fused" else graph
                for graph, loss in zip_longest(graphs, found)
            ]
        names = [name for graph in graphs for name in (graph.file, graph.data)] + [TOKENIZER]
        names += [COMPILED_TOKENIZER] if compiled is not None else []
        names += [TEMPLATE] if chat_template is not None else []
        manifest = m.Manifest(
            format=1,
            name=name,
            licence=licence,
            created_with=versions(),
            source=source,
            architecture=_shape(weights.architecture),
            graphs=graphs,
            quantization=quantization,
            generation=generation,
            evaluation=evaluation,
            files={file: file_entry(folder / file) for file in names},
            calibrated_on=calibrated_on,
            golden=golden.ask(folder / graphs[0].file, windows),
            recipe=recipe,
        )
        write_bytes(folder / CARD, card(manifest).encode())
        manifest.files[CARD] = file_entry(folder / CARD)
        write_bytes(folder / MANIFEST, m.encode(manifest))
    return manifest


def _write_graph(weights: Weights, folder: Path, bits: int, tell: Progress) -> list[Stored]:
    with DataFile(folder / WEIGHTS) as data:
        matrices: Matrices = (
            FloatMatrices(data)
            if bits == 32
            else BlockMatrices(data, precision(weights.architecture))
        )
        graph = decoder.build(
            weights,
            data,
            matrices,
            data_name=WEIGHTS,
            progress=lambda done, total: tell("weights", done, total),
        )
    write_bytes(folder / GRAPH, graph.SerializeToString(deterministic=True))
    return matrices.stored


def _write_fused(weights: Weights, folder: Path, tell: Progress) -> m.Graph:
    with DataFile(folder / FUSED_WEIGHTS) as data:
        graph, stored = fused_graph.build(
            weights,
            data,
            data_name=FUSED_WEIGHTS,
            progress=lambda done, total: tell("fused weights", done, total),
        )
    write_bytes(folder / FUSED, graph.SerializeToString(deterministic=True))
    return m.Graph(
        file=FUSED,
        kind="fused",
        cache_type="float16",
        data=FUSED_WEIGHTS,
        quantization=groups(stored),
    )


def _evaluate(
    weights: Weights, folder: Path, graphs: Sequence[m.Graph], tell: Progress
) -> list[m.Evaluation]:
    """The loss of each graph that runs here: packs are also made where the operators do not."""
    runs = [g for g in graphs if g.kind == "portable" or operators.problem() is None]
    return (
        []
        if not runs
        else evaluate_graphs(
            weights,
            [folder / graph.file for graph in runs],
            builtin_text(),
            progress=lambda done, total: tell("measure", done, total),
        )
    )


def _tokenizer(folder: Path, model: Architecture) -> Tokenizer:
    """The pack's; `IntakeError` if it can say an id that the embedding has no row for."""
    tokenizer = Tokenizer.from_file(folder / TOKENIZER)
    size = tokenizer.vocab_size
    if size > model.vocabulary:
        raise IntakeError(
            f"the tokenizer has {size} ids, the model's embedding only {model.vocabulary} rows: "
            f"they do not belong together. Give the tokenizer.json of this model."
        )
    return tokenizer


def _shape(model: Architecture) -> m.Architecture:
    return m.Architecture(
        family=model.family,
        layers=model.layers,
        hidden=model.hidden,
        intermediate=model.intermediate,
        heads=model.heads,
        kv_heads=model.kv_heads,
        head_dim=model.head_dim,
        vocabulary=model.vocabulary,
        context=model.context,
        rope_theta=model.rope.theta,
        norm_epsilon=model.norm_epsilon,
        tied_head=model.tied_head,
    )


def groups(stored: Iterable[Stored]) -> list[m.TensorGroup]:
    """Matrices of the same kind and form, as one row each."""
    groups: dict[tuple[str, int, int, str], tuple[int, int]] = {}
    for one in stored:
        key = (one.kind, one.bits, one.block, one.scheme)
        count, size = groups.get(key, (0, 0))
        groups[key] = (count + one.tensors, size + one.size)
    return [
        m.TensorGroup(tensors=kind, count=count, bits=bits, block=block, scheme=scheme, bytes=size)
        for (kind, bits, block, scheme), (count, size) in groups.items()
    ]


def versions() -> dict[str, str]:
    """Of everything that a pack's bytes depend on."""
    return {
        "edgeward": edgeward.__version__,
        "onnx": version("onnx"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
    }
