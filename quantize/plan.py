"""Which precision each matrix gets: by rule, or by measured loss under a target.

Knows names, formats, bytes and losses; no numbers of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeward.errors import OptionError

from .families import Architecture
from .graph.matrices import Precision
from .graph.packed import packed_shape
from .schemes.grids import Format


def precision(model: Architecture) -> Callable[[str], Precision]:
    """The precision of each matrix of the portable graph, by its name there.

    Every matrix takes blocks of 32. Blocks of 16 lose less, as activations are rounded in the
    blocks of the weights, but are slower to read; balanced weights (`calibrate.equalize`) gain as
    much for nothing. docs/quality.md has the table.
    """
    return lambda name: Precision(block=32)


@dataclass(frozen=True)
class Choice:
    """One way to store a matrix: its format, whether rounded or as the source has it, what it
    costs in bytes, and the KL it is expected to add."""

    form: Format
    exact: bool
    bytes: int
    loss: float


Plan = dict[str, Choice]

Choices = Mapping[str, Sequence[Choice]]
"""Matrix to its choices."""


def matrix_bytes(form: Format, rows: int, columns: int) -> int:
    """What a matrix takes in the fused graph's file."""
    groups, blocks, size = packed_shape(form, rows, columns)
    return groups * blocks * size


def under_bytes(choices: Choices, most: int) -> Plan:
    """The least expected loss in at most `most` bytes.

    Starts from the smallest choice of each and buys, again and again, the step that saves most
    loss a byte. Raises `OptionError` where even the smallest are too large.
    """
    ladders = {name: _ladder(of) for name, of in choices.items()}
    taken = dict.fromkeys(ladders, 0)
    size = sum(ladder[0].bytes for ladder in ladders.values())
    if size > most:
        raise OptionError(
            f"the matrices take {size / 1e6:.1f} MB at least, {most / 1e6:.1f} MB are left for "
            f"them. Ask for more bits or a larger size."
        )
    for _, name, at in _steps(ladders):
        ladder = ladders[name]
        more = ladder[at].bytes - ladder[at - 1].bytes
        if taken[name] == at - 1 and size + more <= most:
            taken[name] = at
            size += more
    return {name: ladder[taken[name]] for name, ladder in ladders.items()}


def under_loss(choices: Choices, most: float) -> Plan:
    """The fewest bytes with an expected loss of at most `most`; the least loss if none reach it."""
    ladders = {name: _ladder(of) for name, of in choices.items()}
    taken = dict.fromkeys(ladders, 0)
    loss = sum(ladder[0].loss for ladder in ladders.values())
    for _, name, at in _steps(ladders):
        if loss <= most:
            break
        loss -= ladders[name][at - 1].loss - ladders[name][at].loss
        taken[name] = at
    return {name: ladder[taken[name]] for name, ladder in ladders.items()}


def size_of(plan: Plan) -> int:
    """Bytes of all matrices."""
    return sum(choice.bytes for choice in plan.values())


def loss_of(plan: Plan) -> float:
    """The KL expected of all together."""
    return sum(choice.loss for choice in plan.values())


def _steps(ladders: Mapping[str, Sequence[Choice]]) -> list[tuple[float, str, int]]:
    """All steps up, (minus loss saved a byte, name, index of the upper choice), best first."""
    found = []
    for name, ladder in ladders.items():
        for at in range(1, len(ladder)):
            below, above = ladder[at - 1], ladder[at]
            found.append(((above.loss - below.loss) / (above.bytes - below.bytes), name, at))
    return sorted(found)


def _ladder(choices: Sequence[Choice]) -> list[Choice]:
    """Choices from the smallest up that lie on the lower hull: each step up saves less a byte."""
    hull: list[Choice] = []
    for choice in sorted(choices, key=lambda c: (c.bytes, c.loss)):
        if hull and choice.loss >= hull[-1].loss:
            continue  # of equals the first stays: what is carried over exactly is named first
        while len(hull) > 1 and _slope(hull[-1], choice) <= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(choice)
    return hull


def _slope(below: Choice, above: Choice) -> float:
    return (above.loss - below.loss) / (above.bytes - below.bytes)
