"""The slow, obvious twins of the fused operators: what defines the right answer, bit for bit.

Knows: plain arrays and the order of float operations that kernels/ops/operators.h promises. Does
not know: layouts, tiles, threads, speed. Values are float32; every fused multiply-add is written as
`fma`. Equal to the kernels where nothing overflows or is denormal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reference import Floats, fma

Codes = NDArray[np.int8]

BLOCK = 32
SEGMENT = 64
LANES = 16
LOG2_E = np.float32(float.fromhex("0x1.715476p+0"))
LEAST_MAGNITUDE = np.float32(1e-30)
EXP2 = [float.fromhex(c) for c in (
    "0x1.5bd97cp-10", "0x1.3ce8b2p-7", "0x1.c6b6dap-5", "0x1.ebf9c2p-3", "0x1.62e42ap-1", "0x1p0",
)]  # fmt: skip
ROUND = np.float32(1.5 * 2**23)
LOWEST_SCORE = np.float32(-1e30)


def _all(x: Floats, value: float | np.float32 | Floats) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float32), x.shape)


def exp2(x: Floats) -> Floats:
    """2^x by a polynomial of degree 5; 0 below -126."""
    x = np.asarray(x, dtype=np.float32)
    with np.errstate(all="ignore"):
        shifted = x + ROUND
        part = x - (shifted - ROUND)
        total = _all(x, EXP2[0])
        for c in EXP2[1:]:
            total = fma(total, part, _all(x, c))
        whole = shifted.view(np.uint32) << np.uint32(23)
        power = (total.view(np.uint32) + whole).view(np.float32)
        return np.where(np.isnan(x), x, np.where(x < -126, np.float32(0), power))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    one = np.float32(1)
    with np.errstate(all="ignore"):
        return one / (one + exp2(np.minimum(np.float32(126), x * -LOG2_E)))


def tanh(x: Floats) -> Floats:
    """2 sigmoid(2x) - 1."""
    with np.errstate(all="ignore"):
        return sigmoid(x + x) * np.float32(2) - np.float32(1)


def fold_sum(lanes: Floats) -> Floats:
    """The sum over the last axis of 16 lanes: halves are added until one is left."""
    half = lanes.shape[-1] // 2
    while half:
        lanes = lanes[..., :half] + lanes[..., half : 2 * half]
        half //= 2
    total: Floats = lanes[..., 0]
    return total


def rms_norm(x: Floats, weight: Floats, epsilon: float) -> Floats:
    """x / sqrt(mean of squares + epsilon) * weight; 16 sums, one for each index modulo 16."""
    padded = np.zeros(-(-len(x) // LANES) * LANES, dtype=np.float32)
    padded[: len(x)] = x
    squares = np.zeros(LANES, dtype=np.float32)
    for part in padded.reshape(-1, LANES):
        squares = fma(part, part, squares)
    mean = fold_sum(squares) / np.float32(len(x))
    factor = np.float32(1) / np.sqrt(mean + np.float32(epsilon))
    out: Floats = x * factor * weight
    return out


def rotate(head: Floats, cosines: Floats, sines: Floats, pairs: bool = False) -> Floats:
    """Rotary embedding of one head, over (i, i + n/2), or over (2i, 2i + 1) where `pairs`."""
    n = len(head)
    first = np.s_[0::2] if pairs else np.s_[: n // 2]
    second = np.s_[1::2] if pairs else np.s_[n // 2 :]
    out = np.empty_like(head)
    out[first] = head[first] * cosines - head[second] * sines
    out[second] = head[second] * cosines + head[first] * sines
    return out


def gate(activation: str, gate: Floats, up: Floats) -> Floats:
    """silu(gate) * up, or gelu_tanh(gate) * up."""
    with np.errstate(all="ignore"):
        if activation == "silu":
            return gate * sigmoid(gate) * up
        cube = gate * gate * gate
        factor = np.float32(float.fromhex("0x1.988454p+0"))
        u = fma(cube, _all(cube, np.float32(0.044715)), gate) * factor
        return gate * sigmoid(u) * up


def quantize_rows(x: Floats) -> tuple[Codes, Floats, Floats]:
    """int8 values, a scale per 32 (highest magnitude / 127), and scale * sum of the values."""
    rows, cols = x.shape
    blocks = x.reshape(rows, cols // BLOCK, BLOCK)
    with np.errstate(all="ignore"):
        highest = np.abs(blocks).max(axis=2)
        finite = np.asarray(np.isfinite(blocks).all(axis=2))
        usable = finite & (highest >= LEAST_MAGNITUDE)
        inverse = np.where(usable, np.float32(127) / highest, np.float32(0)).astype(np.float32)
        values = np.rint(np.where(finite[..., None], blocks, 0) * inverse[..., None])
        scales = np.where(usable, highest / np.float32(127), np.float32(0)).astype(np.float32)
        scales[~finite] = np.nan
        sums = scales * values.sum(axis=2).astype(np.float32)
    return values.reshape(rows, cols).astype(np.int8), scales, sums


def multiply(
    values: Codes, scales: Floats, minima: Floats | None, x: tuple[Codes, Floats, Floats]
) -> Floats:
    """Weights (rows, cols) times quantized rows (tokens, cols): (tokens, rows).

    Scales are per 32 inputs or per 16, minima per 32.
    """
    right, right_scales, right_sums = x
    tokens, rows = len(right), len(values)
    size = values.shape[1] // scales.shape[1]
    out = np.zeros((tokens, rows), dtype=np.float32)
    for part in range(scales.shape[1]):
        at, block = np.s_[part * size : (part + 1) * size], part * size // BLOCK
        dots = right[:, at].astype(np.int32) @ values[:, at].astype(np.int32).T
        factor = scales[None, :, part] * right_scales[:, None, block]
        out = fma(factor, dots.astype(np.float32), out)
        if minima is not None:
            shape = np.zeros_like(out)
            low, total = minima[None, :, block] + shape, right_sums[:, None, block] + shape
            out = fma(low, total, out)
    return out


def top_values(x: Floats, count: int) -> tuple[list[int], list[float]]:
    """The `count` largest, the lower index first among equals, NaN last."""
    ranked = sorted(range(len(x)), key=lambda i: (np.isnan(x[i]), -x[i] if x[i] == x[i] else 0, i))
    return ranked[:count], [float(x[i]) for i in ranked[:count]]


class KvCache:
    """Keys and values of one layer and one sequence, as they read back from the real one."""

    def __init__(self, kv_heads: int, head_dim: int, context: int, *, int8: bool = False) -> None:
        shape = (kv_heads, context, head_dim)
        self.int8 = int8
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.key_scales = np.ones(shape[:2], np.float32)
        self.value_scales = np.ones(shape[:2], np.float32)

    def append(self, position: int, keys: Floats, values: Floats) -> None:
        """Rounds to float16, or to int8 with a scale a position and head."""
        heads, _, dim = self.keys.shape
        for t, (key, value) in enumerate(zip(keys, values, strict=True)):
            for h in range(heads):
                at = np.s_[h, position + t]
                part = np.s_[h * dim : (h + 1) * dim]
                self.keys[at], self.key_scales[at] = self._rounded(key[part])
                self.values[at], self.value_scales[at] = self._rounded(value[part])

    def _rounded(self, x: Floats) -> tuple[Floats, np.float32]:
        if not self.int8:
            with np.errstate(over="ignore"):
                return x.astype(np.float16).astype(np.float32), np.float32(1)
        highest = np.abs(x).max()
        if not np.isfinite(x).all():
            return np.zeros_like(x), np.float32(np.nan)
        if highest < LEAST_MAGNITUDE:
            return np.zeros_like(x), np.float32(0)
        return np.rint(x * (np.float32(127) / highest)), highest / np.float32(127)

    def attend(self, queries: Floats, position: int, *, heads: int, **options: Any) -> Floats:
        """softmax(scale q k) v, segment by segment; see kernels/ops/attention.h."""
        kv_heads, _, dim = self.keys.shape
        out = np.zeros_like(queries)
        for t, query in enumerate(queries):
            for head in range(heads):
                part = np.s_[head * dim : (head + 1) * dim]
                kv_head = head * kv_heads // heads
                out[t, part] = self._attend(query[part], kv_head, position + t, **options)
        return out

    def _attend(
        self,
        query: Floats,
        head: int,
        position: int,
        *,
        scale: float = 1.0,
        soft_cap: float = 0.0,
        window: int = 0,
    ) -> Floats:
        cap, dim = np.float32(soft_cap), len(query)
        factor = np.float32(scale) / cap if soft_cap else np.float32(scale) * LOG2_E
        query = query * factor
        least = max(0, position - window + 1) if window else 0
        top, lanes = np.float32(-np.inf), np.zeros(LANES, np.float32)
        total = np.zeros(dim, np.float32)
        with np.errstate(all="ignore"):
            for start in range(least // SEGMENT * SEGMENT, position + 1, SEGMENT):
                at = np.s_[head, start : start + SEGMENT]
                seen = np.arange(start, start + SEGMENT)
                scores = np.zeros(SEGMENT, np.float32)
                for d in range(dim):
                    scores = fma(_all(scores, query[d]), self.keys[at][:, d], scores)
                if self.int8:
                    scores = scores * self.key_scales[at]
                if soft_cap:
                    scores = tanh(scores) * (cap * LOG2_E)
                scores = np.where((seen >= least) & (seen <= position), scores, -np.inf)
                scores = scores.astype(np.float32)
                highest = np.fmax.reduce(scores)
                weights = exp2(scores - max(highest, LOWEST_SCORE))
                own = np.zeros(LANES, np.float32)
                for part in weights.reshape(-1, LANES):
                    own = own + part
                if self.int8:
                    weights = weights * self.value_scales[at]
                values = np.zeros(dim, np.float32)
                for j in range(max(least - start, 0), min(position - start + 1, SEGMENT)):
                    values = fma(_all(values, weights[j]), self.values[at][j], values)
                both = max(highest, top)
                base = max(both, LOWEST_SCORE)
                a, b = exp2(np.array([top - base, highest - base], np.float32))
                lanes = fma(own, _all(own, b), lanes * a)
                total = fma(values, _all(values, b), total * a)
                top = both
            return total * (np.float32(1) / fold_sum(lanes))
