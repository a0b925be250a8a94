"""How much each matrix's rounding changes the model's answers: measured, not guessed.

Matrices of one kind in neighbouring layers form a unit. Each unit alone is rounded to 4 bits and
the text run through the rest of the model in float32; the KL of the answers, by the error of the
unit's weights (each column weighed by its input's mean square), is the unit's price. A matrix's
expected loss in any format is then its error in that format times the price. Knows weights and ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from .calibrate.inputs import INPUT_OF, run
from .evaluate.losses import compare
from .evaluate.reference import LayeredReference, Layers, embedded, layer_floats
from .plan import Choice, matrix_bytes
from .schemes import simple
from .schemes.grids import Q4_0, Q4_1, Q8_0, Format, format_of
from .views import Times
from .weights import Floats, Tensor, Weights

Step = Callable[[int, int], None]

KINDS = (("q", "k", "v"), ("o",), ("gate", "up"), ("down",))

# Groups of neighbouring layers, windows read, positions scored of each.
_GROUPS, _WINDOWS, _POSITIONS = 6, 4, 32
# Layers kept in float32 between units; what does not fit is dequantized each time.
_KEPT_BYTES = 1 << 29
_ROWS = 4096
# One more bit halves a step, so it divides the squared error by four.
_EIGHT_BITS = 4.0**-4


class Sensitivity:
    """Choices for every matrix of `weights`, priced on `windows` (count, length)."""

    def __init__(
        self, weights: Weights, windows: NDArray[np.int64], threads: int | None = None
    ) -> None:
        model = weights.architecture
        self._weights, self._windows = weights, windows[:_WINDOWS]
        self._reference = LayeredReference(weights, threads)
        self._layers = Layers(model, windows.shape[1], threads)
        self._kept: dict[int, dict[str, Floats]] = {}
        self._squares: dict[str, Floats] = {}
        size = -(-model.layers // min(_GROUPS, model.layers))
        starts = range(0, model.layers, size)
        self._groups = [range(s, min(s + size, model.layers)) for s in starts]

    def choices(self, progress: Step = lambda done, total: None) -> dict[str, list[Choice]]:
        """By name of the matrix; the sum of all losses is what is expected of nearest rounding."""
        total = self._weights.architecture.layers + len(self._groups) * len(KINDS) + 1
        states = self._float_states(lambda done: progress(done, total))
        done = self._weights.architecture.layers
        ends = np.linspace(self._windows.shape[1] // 2, self._windows.shape[1] - 1, _POSITIONS)
        self._scored = np.unique(ends.astype(int))
        self._expected = self._logits(states[-1])
        found: dict[str, list[Choice]] = {}
        for group in self._groups:
            for kinds in KINDS:
                names = [f"layers.{n}.{kind}" for n in group for kind in kinds]
                x = states[group.start]
                for number in range(group.start, self._weights.architecture.layers):
                    floats = self._floats(number)
                    if number in group:
                        floats = floats | {k: _nearest(floats[k], Q4_0) for k in kinds}
                    x = run(self._layers, number, x, floats)
                found |= self._priced(names, self._kl(self._logits(x)))
                done += 1
                progress(done, total)
        found |= self._of_words(states)
        progress(total, total)
        return found

    def close(self) -> None:
        """Let go of the weights kept in float32."""
        self._kept.clear()

    def _float_states(self, tell: Callable[[int], None]) -> list[Floats]:
        x = embedded(self._weights.tensors["embedding"], self._windows)
        states = [x]
        for number in range(self._weights.architecture.layers):
            made, seen = self._layers.run(number, x, self._floats(number), inputs=True)
            for kind, source in INPUT_OF.items():
                squares = np.square(seen[source]).mean(axis=(0, 1))
                self._squares[f"layers.{number}.{kind}"] = np.asarray(squares, np.float32)
            states.append(x := made)
            tell(number + 1)
        return states

    def _of_words(self, states: list[Floats]) -> dict[str, list[Choice]]:
        """Embedding and head: one matrix where they are tied."""
        model, tensors = self._weights.architecture, self._weights.tensors
        final = self._reference.normed(states[-1])
        mean_squares = np.asarray(np.square(final).mean(axis=(0, 1)), np.float32)
        if not model.tied_head:
            self._squares["head"] = mean_squares
            logits = self._head(states[-1], tensors["head"])
            found = self._priced(["head"], self._kl(logits))
            self._squares["embedding"] = np.ones(model.hidden, np.float32)
            return found | self._priced(["embedding"], self._embedding_kl(None))
        self._squares["embedding"] = mean_squares
        return self._priced(["embedding"], self._embedding_kl(tensors["embedding"]))

    def _embedding_kl(self, head: Tensor | None) -> float:
        rows = embedded(self._weights.tensors["embedding"], self._windows)
        x = _nearest(rows.reshape(-1, rows.shape[-1]), Q4_0).reshape(rows.shape)
        for number in range(self._weights.architecture.layers):
            x = run(self._layers, number, x, self._floats(number))
        return self._kl(self._logits(x) if head is None else self._head(x, head))

    def _floats(self, number: int) -> dict[str, Floats]:
        if number in self._kept:
            return self._kept[number]
        floats = layer_floats(self._weights, number)
        size = sum(values.nbytes for values in floats.values())
        if size * (len(self._kept) + 1) <= _KEPT_BYTES:
            self._kept[number] = floats
        return floats

    def _logits(self, x: Floats) -> Floats:
        final = self._reference.normed(x[:, self._scored])
        return self._reference.logits(final.reshape(-1, final.shape[-1]))

    def _head(self, x: Floats, head: Tensor) -> Floats:
        """Logits with the head rounded to 4 bits."""
        final = self._reference.normed(x[:, self._scored]).reshape(-1, x.shape[-1])
        logits = np.empty((len(final), head.shape[0]), np.float32)
        for begin, values in _pieces(head):
            logits[:, begin : begin + len(values)] = final @ _nearest(values, Q4_0).T
        if (cap := self._weights.architecture.logit_softcap) is not None:
            logits = np.tanh(logits) * np.float32(cap)
        return logits

    def _kl(self, logits: Floats) -> float:
        nothing = np.empty(0, np.int64)
        parts = [
            compare(self._expected[at : at + 32].copy(), logits[at : at + 32], nothing).kl
            for at in range(0, len(logits), 32)
        ]
        return float(np.concatenate(parts).mean())

    def _priced(self, names: list[str], loss: float) -> dict[str, list[Choice]]:
        tensors = {name: self._weights.tensors[name] for name in names}
        errors = {n: _errors(t, self._squares[n], (Q4_0, Q4_1)) for n, t in tensors.items()}
        price = loss / max(sum(of[Q4_0] for of in errors.values()), 1e-30)
        return {name: _choices(tensors[name], errors[name], price) for name in names}


def unpriced(weights: Weights) -> dict[str, list[Choice]]:
    """Choices without a text: a matrix's loss is taken for its relative squared error."""
    model = weights.architecture
    names = [f"layers.{n}.{kind}" for n in range(model.layers) for kind in INPUT_OF]
    found = {}
    for name in [*names, "embedding", *([] if model.tied_head else ["head"])]:
        tensor = weights.tensors[name]
        even = np.ones(tensor.shape[1], np.float32)
        power = sum(
            float(np.square(values, dtype=np.float64).sum()) for _, values in _pieces(tensor)
        )
        found[name] = _choices(tensor, _errors(tensor, even, (Q4_0, Q4_1)), 1 / max(power, 1e-30))
    return found


def _choices(tensor: Tensor, errors: dict[Format, float], price: float) -> list[Choice]:
    rows, columns = tensor.shape
    eight = errors[Q4_0] * _EIGHT_BITS
    found = []
    source = tensor.inner if isinstance(tensor, Times) else tensor
    if (held := format_of([source], _ROWS)) is not None:
        found.append(Choice(held, True, matrix_bytes(held, rows, columns), 0.0))
    rounded = (*errors.items(), (Q8_0, eight))
    return found + [
        Choice(form, False, matrix_bytes(form, rows, columns), error * price)
        for form, error in rounded
    ]


def _errors(tensor: Tensor, squares: Floats, forms: tuple[Format, ...]) -> dict[Format, float]:
    """Weighted squared error of nearest rounding."""
    total = dict.fromkeys(forms, 0.0)
    for _, values in _pieces(tensor):
        for form in forms:
            off = np.square(values - _nearest(values, form)).sum(axis=0, dtype=np.float64)
            total[form] += float(off @ squares)
    return total


def _nearest(values: Floats, form: Format) -> Floats:
    return simple.floats(simple.nearest(values, form))


def _pieces(tensor: Tensor) -> Iterator[tuple[int, Floats]]:
    for begin in range(0, tensor.shape[0], _ROWS):
        yield begin, tensor.floats(begin, min(begin + _ROWS, tensor.shape[0]))
