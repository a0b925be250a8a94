"""Each fused operator alone, as a share of what this machine can do at most.

Knows: shapes, turns, limits. Does not know: models, ONNX Runtime. A product of one row can do no
better than read its weights once; a product of many rows is held against the dot products that the
processor can start; attention over many rows against its fused multiply-adds. Limits and operators
take turns within every round, for the machine drifts by up to 2x within minutes: quote the shares,
which are ratios of the same round. Nothing is timed unless the answers are those of the slow twin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import EdgewardError
from edgeward.kernels import _native, reference_ops

from ..stats import Summary, summarize

Tell = Callable[[str, int, int], None]

SHAPES = {
    "qkv": (960, 576),
    "output": (576, 576),
    "gate + up": (3072, 576),
    "down": (576, 1536),
    "head": (49_152, 576),
}
"""Rows and columns of SmolLM2-135M's matrices."""
FORMATS = ("q4_0", "q4_1", "q8_0", "q8_1", "q4_k", "q5_k", "q6_k")
_CODES = {"q4_0": (-8, 7), "q4_1": (0, 15), "q4_k": (0, 15)}
_MINIMA = ("q4_1", "q8_1", "q4_k", "q5_k")
HEADS, KV_HEADS, HEAD_DIM = 9, 3, 64


@dataclass(frozen=True)
class Setting:
    """How to measure."""

    formats: tuple[str, ...] = ("q4_1",)
    threads: tuple[int, ...] = (1, 2)
    tokens: tuple[int, ...] = (1, 16, 64, 128)
    contexts: tuple[int, ...] = (256, 1024)
    """Positions that attention looks at."""
    rounds: int = 9
    megabytes: int = 48
    """Weights that one turn reads: copies of a matrix, as the layers of a model come."""
    isa: str | None = None


@dataclass
class Row:
    """One operator in one shape."""

    operator: str
    format: str
    tokens: int
    threads: int
    time: Summary
    """Microseconds a call."""
    speed: Summary
    """GB/s of one row, GOP/s or GFLOP/s of many."""
    limit: Summary
    """The machine's, in the same unit and the same rounds."""
    share: Summary
    """speed / limit, of each round."""
    best: float
    """Highest speed / highest limit: what remains comparable while other programs run."""


@dataclass
class Result:
    """All rows, and what a barrier costs."""

    rows: list[Row] = field(default_factory=list)
    barrier_us: dict[int, float] = field(default_factory=dict)
    """By threads."""


def made_matrix(
    name: str, rows: int, cols: int, seed: int = 0
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32] | None, _native.PackedMatrix]:
    """Random weights of a format: values, scales, minima, packed."""
    rng = np.random.default_rng(seed)
    low, high = _CODES.get(name, (-128, 127))
    values = rng.integers(low, high, (rows, cols), endpoint=True).astype(np.int8)
    size = 16 if name == "q6_k" else 32
    scales = rng.normal(0, 0.02, (rows, cols // size)).astype(np.float16).astype(np.float32)
    minima = None
    if name in _MINIMA:
        minima = rng.normal(0, 0.1, (rows, cols // 32)).astype(np.float16).astype(np.float32)
    return values, scales, minima, _native.PackedMatrix(name, values, scales, minima)


def check(name: str, isa: str | None) -> None:
    """Raise `EdgewardError` unless products and attention are their twins', bit for bit."""
    values, scales, minima, packed = made_matrix(name, 48, 160)
    x = np.random.default_rng(1).normal(0, 1, (19, 160)).astype(np.float32)
    right = reference_ops.multiply(values, scales, minima, reference_ops.quantize_rows(x))
    if not np.array_equal(packed.multiply(x, isa=isa), right):
        raise EdgewardError(f"{name}: the product is not its twin's; nothing was timed.")
    cache = _native.KvCache(1, 32, 128)
    twin = reference_ops.KvCache(1, 32, 128)
    keys, queries = x[:, :32].copy(), x[:1, 32:64].copy()
    for one in (cache, twin):
        one.append(0, keys, keys)
    if not np.array_equal(
        cache.attend(queries, 18, heads=1, isa=isa), twin.attend(queries, 18, heads=1)
    ):
        raise EdgewardError("attention is not its twin's; nothing was timed.")


def run(setting: Setting, tell: Tell) -> Result:
    """Measure every operator. Raises `EdgewardError` when an answer is wrong."""
    result = Result()
    steps = len(setting.threads) * (len(setting.formats) + 1)
    done = 0
    for name in setting.formats:
        check(name, setting.isa)
    for threads in setting.threads:
        team = _native.Team(threads)
        _native.time_barriers(team, 1000)
        result.barrier_us[threads] = _native.time_barriers(team, 20_000) / 20_000 * 1e6
        for name in setting.formats:
            tell(f"{name}, {threads} threads", done, steps)
            result.rows += _products(name, setting, team)
            done += 1
        tell(f"attention, {threads} threads", done, steps)
        result.rows += _attention(setting, team)
        done += 1
    return result


def _products(name: str, setting: Setting, team: _native.Team) -> list[Row]:
    rows = []
    for operator, (outputs, inputs) in SHAPES.items():
        *_, first = made_matrix(name, outputs, inputs)
        count = max(1, setting.megabytes * 1_000_000 // first.nbytes)
        copies = [first] + [made_matrix(name, outputs, inputs, i)[-1] for i in range(1, count)]
        weights = float(first.nbytes * count)
        for tokens in setting.tokens:
            if operator == "head" and tokens > 1:
                continue  # logits are computed for the last position
            work = 2.0 * outputs * inputs * tokens * count
            turn = partial(_native.time_multiply, copies, tokens, team, isa=setting.isa)
            if tokens == 1:
                samples = _turns(setting, turn, weights, partial(_read, copies, team, setting))
            else:
                samples = _turns(setting, turn, work, partial(_dots, team, setting))
            rows.append(_row(operator, name, tokens, team.size, samples, count))
    return rows


def _attention(setting: Setting, team: _native.Team) -> list[Row]:
    rows = []
    for context in setting.contexts:
        room = -(-context // 64) * 64
        cache = _native.KvCache(KV_HEADS, HEAD_DIM, room)
        made = np.random.default_rng(2).normal(0, 1, (context, KV_HEADS * HEAD_DIM))
        cache.append(0, made.astype(np.float32), made.astype(np.float32))
        for tokens in (1, context):
            first = context - tokens
            seen = float(sum(range(first + 1, context + 1)))
            repeats = 200 if tokens == 1 else 1
            turn = partial(
                _native.time_attend,
                cache, tokens, first, HEADS, repeats, team, isa=setting.isa,
            )  # fmt: skip
            # Scores and weighted values: two products of a query with each position it sees.
            work = 4.0 * HEADS * HEAD_DIM * seen * repeats
            samples = _turns(setting, turn, work, partial(_fmas, team, setting))
            rows.append(
                _row(f"attention at {context}", "float16", tokens, team.size, samples, repeats)
            )
    return rows


def _read(copies: list[_native.PackedMatrix], team: _native.Team, setting: Setting) -> float:
    amount, seconds = _native.time_read(copies, team, isa=setting.isa)
    return amount / seconds


def _dots(team: _native.Team, setting: Setting) -> float:
    amount, seconds = _native.time_dots(300_000, team, isa=setting.isa)
    return amount / seconds


def _fmas(team: _native.Team, setting: Setting) -> float:
    amount, seconds = _native.time_fmas(300_000, team, isa=setting.isa)
    return amount / seconds


Samples = list[tuple[float, float, float]]
"""Seconds of a turn, work / second, limit / second; one entry a round."""


def _turns(
    setting: Setting, turn: Callable[[], float], work: float, limit: Callable[[], float]
) -> Samples:
    turn()  # brings caches and clocks up
    samples = []
    for index in range(setting.rounds):
        # A, B, then B, A: who comes first gains nothing.
        if index % 2:
            most, seconds = limit(), turn()
        else:
            seconds, most = turn(), limit()
        samples.append((seconds, work / seconds, most))
    return samples


def _row(operator: str, name: str, tokens: int, threads: int, samples: Samples, calls: int) -> Row:
    unit = "GB/s" if tokens == 1 and name != "float16" else "GOP/s"
    unit = "GFLOP/s" if name == "float16" else unit
    best = max(speed for _, speed, _ in samples) / max(most for _, _, most in samples)
    return Row(
        operator,
        name,
        tokens,
        threads,
        summarize([seconds / calls * 1e6 for seconds, _, _ in samples], "us"),
        summarize([speed / 1e9 for _, speed, _ in samples], unit),
        summarize([most / 1e9 for _, _, most in samples], unit),
        summarize([speed / most for _, speed, most in samples], "x"),
        best,
    )
