"""Rounds a model's matrices to the formats of a plan, layer by layer, on a calibration text.

The text runs through the layers as they were rounded so far, so that each matrix is fitted to
the inputs it will really get. Knows layers, plans and schemes. Does not know how a plan is found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .calibrate.inputs import INPUT_OF, Moments, run
from .evaluate.reference import LayeredReference, Layers, embedded, layer_floats
from .keep import Keep
from .on_grid import NearestGrid, OnGrid
from .schemes import gptq, simple
from .schemes.gptq import Factors
from .schemes.grids import Format, Values
from .views import Times
from .weights import Floats, Tensor, Weights, all_floats

Method = Literal["nearest", "search", "gptq"]
METHODS: tuple[Method, ...] = ("nearest", "search", "gptq")

Plan = Mapping[str, Format | None]
"""Matrix to the format it is rounded to; None: as the source has it."""

Step = Callable[[int, int], None]

DAMPING = 0.1
"""Share of its mean that is added to the diagonal of a matrix of second moments."""

TIED_DAMPING = 0.5
"""The same for a tied head, whose rows are embeddings as well: those read every column alike."""

# Numbers of a matrix worked on at once by the schemes, which take about 30 bytes each.
_CHUNK = 1 << 23


def round_weights(
    weights: Weights,
    plan: Plan,
    windows: NDArray[np.int64] | None,
    *,
    method: Method = "gptq",
    threads: int | None = None,
    keep: Keep | None = None,
    progress: Step = lambda done, total: None,
) -> Weights:
    """`weights` with every matrix of `plan` rounded.

    `windows` (count, length) are ids of the calibration text; only "nearest" does without. What
    is finished goes to `keep`, and what is there is not done again.
    """
    model = weights.architecture
    tensors = dict(weights.tensors)
    total = model.layers + 1
    if windows is None:
        for number, (name, form) in enumerate(plan.items()):
            if form is not None:
                tensor = tensors[name]
                lazy = NearestGrid(_inner(tensor), form)
                tensors[name] = Times(lazy, tensor.factor) if isinstance(tensor, Times) else lazy
            progress(number + 1, len(plan))
        return dataclasses.replace(weights, tensors=tensors)
    layers = Layers(model, windows.shape[1], threads)
    x = embedded(weights.tensors["embedding"], windows)
    for number in range(model.layers):
        floats = layer_floats(weights, number)
        names = {n: f"layers.{number}.{n}" for n in INPUT_OF}
        wanted = {n: form for n, full in names.items() if (form := plan.get(full)) is not None}
        kept = {n: keep.matrix(names[n]) for n in wanted} if keep is not None else {}
        known: dict[str, Factors] = {}
        if any(kept.get(n) is None for n in wanted):
            moments = Moments()
            run(layers, number, x, floats, moments)
            known = {n: gptq.factors(h, DAMPING) for n, h in moments.sums.items()}
        for n, form in wanted.items():
            tensor = tensors[names[n]]
            done = kept.get(n)
            values = done or _rounded(_inner(tensor), form, known[INPUT_OF[n]], method)
            if keep is not None and done is None:
                keep.save_matrix(names[n], values)
            tensors[names[n]] = _on_grid(tensor, form, values, method)
            floats[n] = all_floats(tensors[names[n]])
        made = run(layers, number, x, floats)
        x = made
        progress(number + 1, total)
    final = LayeredReference(weights, threads).normed(x)
    moments = Moments()
    moments.add("head", final)
    for name in ("head", "embedding"):
        if (form := plan.get(name)) is not None:
            reads = name == "head" or model.tied_head
            damping = TIED_DAMPING if model.tied_head else DAMPING
            known_head = gptq.factors(moments.sums["head"], damping) if reads else None
            tensor = tensors[name]
            done = keep.matrix(name) if keep is not None else None
            how = method if reads else "search"
            values = done or _rounded(_inner(tensor), form, known_head, how)
            if keep is not None and done is None:
                keep.save_matrix(name, values)
            tensors[name] = _on_grid(tensor, form, values, method)
    progress(total, total)
    return dataclasses.replace(weights, tensors=tensors)


def _inner(tensor: Tensor) -> Tensor:
    """Without a constant factor, which stays outside of the blocks."""
    return tensor.inner if isinstance(tensor, Times) else tensor


def _on_grid(tensor: Tensor, form: Format, values: Values, method: Method) -> Tensor:
    if isinstance(tensor, Times):
        return Times(OnGrid(tensor.inner, form, values, method), tensor.factor)
    return OnGrid(tensor, form, values, method)


def _rounded(tensor: Tensor, form: Format, known: Factors | None, method: Method) -> Values:
    parts = [_values(values, form, known, method) for values in _rows(tensor)]
    minima = [p.minima for p in parts if p.minima is not None]
    return Values(
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.scales for p in parts]),
        np.concatenate(minima) if minima else None,
    )


def _rows(tensor: Tensor) -> Iterator[Floats]:
    rows, columns = tensor.shape
    many = max(16, _CHUNK // columns)
    for begin in range(0, rows, many):
        yield tensor.floats(begin, min(begin + many, rows))


def _values(values: Floats, form: Format, known: Factors | None, method: Method) -> Values:
    if method == "nearest":
        return simple.nearest(values, form)
    if method == "gptq" and known is not None:
        return gptq.gptq(values, form, known)
    if known is None:
        return simple.search(values, np.ones(values.shape[1], np.float32), form)
    return simple.search(values, np.diagonal(known.hessian), form)
