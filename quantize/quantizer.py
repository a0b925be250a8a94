"""`edgeward quantize`'s work on the weights: price, plan, round, and look whether it was enough.

Knows targets and the order of the steps. Does not know files of packs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from edgeward import manifest as m
from edgeward.errors import IntakeError, OptionError
from edgeward.quantize.evaluate.measure import cut
from edgeward.quantize.evaluate.pack import Text, beginning, builtin_text
from edgeward.tokenizer import Tokenizer

from . import plan as planning
from .calibrate import passages
from .convert import Rounded
from .evaluate.losses import compare
from .evaluate.reference import LayeredReference
from .graph import fused
from .keep import Keep
from .plan import Choice, Plan
from .progress import Progress
from .rounding import METHODS, Method, round_weights
from .sensitivity import Sensitivity, unpriced
from .weights import Floats, Weights

# What calibrated rounding leaves of the loss that is expected of rounding to nearest: measured,
# docs/quality.md; `--max-kl` starts from it and corrects itself.
_LEFT = 0.55
_TRIES = 3
# The graph's file and the pages that arrays of the data file begin on, beside matrices.
_GRAPH_BYTES, _PAGE = 1 << 15, 2048


@dataclass(frozen=True)
class Target:
    """What is asked for: one of the three. `bits` a weight, embedding and head included; `size`
    bytes of graph and weights; `max_kl` nats on the built-in text."""

    bits: float | None = None
    size: int | None = None
    max_kl: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.bits, self.size, self.max_kl) if value is not None]
        if len(given) != 1:
            raise OptionError("give one target: --bits, --size or --max-kl.")
        if not given[0] > 0:
            raise OptionError(f"a target of {given[0]} is none; give a number above 0.")

    def __str__(self) -> str:
        if self.bits is not None:
            return f"{self.bits:g} bits"
        return f"{self.size / 1e6:.1f} MB" if self.size is not None else f"KL {self.max_kl:g}"


@dataclass(frozen=True)
class Quantizer:
    """A `convert.Rounding`. `text` is the calibration's (None: the built-in passages)."""

    target: Target
    method: Method = "gptq"
    text: Text | None = None
    threads: int | None = None
    show: Callable[[Plan], None] = lambda plan: None
    keep: Keep | None = None
    """Where finished parts go, so that an interrupted run is taken up again; it has been opened."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise OptionError(f"method={self.method!r}; choose one of {', '.join(METHODS)}.")
        if self.method == "nearest" and self.target.max_kl is not None:
            raise OptionError("--max-kl needs calibration; choose --method gptq or search.")

    def __call__(self, weights: Weights, words: Tokenizer, tell: Progress) -> Rounded:
        if (reason := fused.reason_against(weights)) is not None:
            raise IntakeError(
                f"4-bit weights run on the fused operators, which cannot run this model: {reason}. "
                f"`edgeward pull` makes a pack of 8-bit weights."
            )
        context = weights.architecture.context
        content = self.text.content if self.text is not None else passages.text()
        windows = (
            passages.cut(words, content, context)
            if self.text is not None
            else passages.windows(words, context)
        )
        calibrated = self.method != "nearest"
        choices = self._choices(weights, windows, tell) if calibrated else unpriced(weights)
        rounded, chosen = self._rounded(weights, choices, words, windows, tell)
        return Rounded(
            weights=rounded,
            recipe=m.Recipe(
                target=str(self.target),
                method=self.method,
                calibration=_named(self.text) if calibrated else None,
                expected_kl=round(planning.loss_of(chosen), 5) if calibrated else None,
                formats={name: _word(choice) for name, choice in chosen.items()},
            ),
            calibrated_on=hashlib.sha256(content.encode()).hexdigest() if calibrated else None,
        )

    def _choices(
        self, weights: Weights, windows: NDArray[np.int64], tell: Progress
    ) -> dict[str, list[Choice]]:
        if self.keep is not None and (found := self.keep.choices()) is not None:
            return found
        sensitivity = Sensitivity(weights, windows, self.threads)
        found = sensitivity.choices(lambda done, n: tell("measure matrices", done, n))
        sensitivity.close()
        if self.keep is not None:
            self.keep.save_choices(found)
        return found

    def _rounded(
        self,
        weights: Weights,
        choices: planning.Choices,
        words: Tokenizer,
        windows: NDArray[np.int64],
        tell: Progress,
    ) -> tuple[Weights, Plan]:
        if self.target.max_kl is None:
            chosen = planning.under_bytes(choices, self._bytes(weights))
            self.show(chosen)
            return self._round(weights, chosen, windows, tell), chosen
        most = self.target.max_kl / _LEFT
        for _ in range(_TRIES):
            chosen = planning.under_loss(choices, most)
            self.show(chosen)
            rounded = self._round(weights, chosen, windows, tell)
            found = _loss(weights, rounded, words, self.threads, tell)
            if found <= self.target.max_kl:
                return rounded, chosen
            most = planning.loss_of(chosen) * 0.85 * self.target.max_kl / found
        raise OptionError(
            f"a KL of {self.target.max_kl:g} was not reached: {found:.4g} at "
            f"{planning.size_of(chosen) / 1e6:.1f} MB. Ask for --bits 8, or a larger --max-kl."
        )

    def _round(
        self, weights: Weights, chosen: Plan, windows: NDArray[np.int64], tell: Progress
    ) -> Weights:
        forms = {name: None if choice.exact else choice.form for name, choice in chosen.items()}
        keep = None if self.method == "nearest" else self.keep
        if keep is not None:
            keep.take_plan(forms)
        return round_weights(
            weights,
            forms,
            None if self.method == "nearest" else windows,
            method=self.method,
            threads=self.threads,
            keep=keep,
            progress=lambda done, total: tell("round", done, total),
        )

    def _bytes(self, weights: Weights) -> int:
        """What matrices may take."""
        shapes = weights.architecture.shapes()
        if self.target.bits is not None:
            numbers = sum(prod(shape) for shape in shapes.values() if len(shape) == 2)
            return int(numbers * self.target.bits / 8)
        assert self.target.size is not None
        model = weights.architecture
        ropes = {model.attention(layer).rope for layer in range(model.layers)} - {None}
        others = 4 * sum(prod(shape) for shape in shapes.values() if len(shape) == 1)
        others += len(ropes) * 4 * model.context * model.head_dim
        return self.target.size - others - _GRAPH_BYTES - _PAGE * len(shapes)


def _loss(
    weights: Weights, rounded: Weights, words: Tokenizer, threads: int | None, tell: Progress
) -> float:
    """Mean KL on the built-in text, in float32 arithmetic."""
    ids = words.encode(builtin_text().content, add_special_tokens=False)
    first = beginning(words)
    length = min(512, weights.architecture.context, len(ids) + len(first))
    windows = cut(ids, length, begin=first)
    start = length // 2
    sides = [LayeredReference(w, threads) for w in (weights, rounded)]
    hidden: list[Floats] = []
    for number, side in enumerate(sides):
        hidden.append(side.hidden(windows, start))
        tell("check", number + 1, len(sides))
    found = []
    nothing = np.empty(0, np.int64)
    for window in range(len(windows)):
        for begin, end in pairwise([*range(0, length - start, 64), length - start]):
            pair = [
                side.logits(states[window, begin:end])
                for side, states in zip(sides, hidden, strict=True)
            ]
            found.append(compare(pair[0], pair[1], nothing).kl)
    return float(np.concatenate(found).mean())


def _word(choice: Choice) -> str:
    return f"={choice.form.name}" if choice.exact else choice.form.name


def _named(text: Text | None) -> str:
    return "edgeward's built-in passages" if text is None else text.name
