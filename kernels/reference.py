"""The slow, obvious twin of every kernel, under the same names: what defines the right answer.

Knows: the definitions, written with whole sorted arrays. Does not know: blocks, passes, speed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bits = NDArray[np.uint32]

# --- sampling ---------------------------------------------------------------------------------

UNIT_WEIGHT = 1 << 30
LOG2_E = 1.4426950408889634


def philox4x32_10(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011)."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b = (right >> 32) ^ b ^ k, right & 0xFFFFFFFF
        c, d = (left >> 32) ^ d ^ m, left & 0xFFFFFFFF
        k, m = (k + 0x9E3779B9) & 0xFFFFFFFF, (m + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def random_bits(seed: int, position: int, attempt: int, stream: int = 0) -> int:
    """64 bits for one attempt at one position; the counter holds all that tells draws apart."""
    words = philox4x32_10(
        (position & 0xFFFFFFFF, position >> 32, attempt, stream), (seed & 0xFFFFFFFF, seed >> 32)
    )
    return words[0] | words[1] << 32


def fma(a: Floats, b: Floats, c: Floats) -> Floats:
    """a * b + c rounded once: exact in double but for the sum, which is made to round to odd."""
    product, addend = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    total = product + addend
    back = total - product
    error = (product - (total - back)) + (addend - back)
    odd = total.view(np.int64) + np.where((error > 0) == (total > 0), 1, -1)
    move = (error != 0) & (total.view(np.int64) % 2 == 0)
    return np.where(move, odd.view(np.float64), total).astype(np.float32)


def weights(values: Floats, scale: np.float32) -> NDArray[np.int64]:
    """round(2^30 * 2^((values - max) * scale)), in the float32 steps that every build takes."""

    def fill(value: float) -> Floats:
        return np.full_like(values, value)

    with np.errstate(all="ignore"):
        drop = np.maximum(values - values.max(), np.float32(-32) / scale)
    shifted = fma(drop, fill(scale), fill(1.5 * 2**23))
    whole = shifted - np.float32(1.5 * 2**23)
    part = fma(drop, fill(scale), -whole)
    p = fill(float.fromhex("0x1.5bd97cp-10") * UNIT_WEIGHT)
    for c in ("0x1.3ce8b2p-7", "0x1.c6b6dap-5", "0x1.ebf9c2p-3", "0x1.62e42ap-1", "0x1p0"):
        p = fma(p, part, fill(float.fromhex(c) * UNIT_WEIGHT))
    weight: NDArray[np.int64] = np.rint(np.ldexp(p, whole.astype(np.int32))).astype(np.int64)
    return weight


def kept_by_mass(mass: NDArray[np.int64], order: NDArray[np.int64], p: float) -> NDArray[np.bool_]:
    """The smallest set, in the given order, whose mass reaches p of the whole."""
    ordered = mass[order]
    before = np.cumsum(ordered) - ordered
    kept = np.zeros(len(mass), dtype=bool)
    kept[order] = before < math.ceil(p * float(mass.sum()))
    return kept


def _smallest_set(
    p: NDArray[np.float64], order: NDArray[np.int64], mass: float
) -> NDArray[np.float64]:
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros_like(p)
    kept[order] = np.where(before < mass, p[order], 0)
    kept /= kept.sum()
    return kept


class Sampler:
    """Twin of `_native.Sampler`: same arguments, same tokens."""

    def __init__(
        self,
        vocab_size: int,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        repetition_penalty: float = 1.0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        logit_bias: Mapping[int, float] | None = None,
        banned_ids: Iterable[int] = (),
        seed: int = 0,
    ) -> None:
        self.vocab_size = vocab_size
        self.temperature = temperature
        self.top_k = top_k
        self.top_p = top_p
        self.min_p = min_p
        self.typical_p = typical_p
        self.repetition_penalty = repetition_penalty
        self.frequency_penalty = frequency_penalty
        self.presence_penalty = presence_penalty
        self.logit_bias = dict(logit_bias or {})
        self.banned_ids = list(banned_ids)
        self.seed = seed
        self.prompt: list[int] = []
        self.output: list[int] = []

    def observe_prompt(self, ids: Iterable[int]) -> None:
        self.prompt.extend(ids)

    def observe(self, id: int) -> None:
        self.output.append(id)

    def adjusted(self, logits: Floats, allowed: Bits | None = None) -> Floats:
        """The mask, bans, bias and penalties: all that acts on single tokens."""
        f = np.float32
        x = logits.copy()
        if allowed is not None:
            bits = np.unpackbits(allowed.astype("<u4").view(np.uint8), bitorder="little")
            x[bits[: self.vocab_size] == 0] = -np.inf
        x[self.banned_ids] = -np.inf
        for id, bias in self.logit_bias.items():
            x[id] += f(bias)
        shrink, grow = f(1 / self.repetition_penalty), f(self.repetition_penalty)
        for id in {*self.prompt, *self.output}:
            count = self.output.count(id)
            discount = f(self.frequency_penalty * count + self.presence_penalty * (count > 0))
            x[id] = x[id] * (shrink if x[id] > 0 else grow) - discount
        return x

    def kept_weights(self, x: Floats) -> NDArray[np.int64]:
        """Integer weights after min-p, top-k and typical-p; 0: cut."""
        keep = np.ones(len(x), dtype=bool)
        if self.min_p > 0:
            keep &= x >= np.float32(float(x.max()) + self.temperature * math.log(self.min_p))
        if self.top_k > 0:
            order = np.lexsort((np.arange(len(x)), -x))  # highest first, equal ones by lower id
            keep &= np.isin(np.arange(len(x)), order[keep[order]][: self.top_k])
        scale = np.float32(LOG2_E / self.temperature)
        mass = np.where(keep, weights(x, scale), 0)
        if self.typical_p < 1:
            with np.errstate(all="ignore"):
                power = ((x - x.max()) * scale).astype(np.float64)
            power[mass == 0] = 0
            mean = float(np.cumsum(mass * power)[-1] / float(mass.sum()))
            far = np.where(mass > 0, np.abs(power - mean), np.inf)
            order = np.lexsort((np.arange(len(x)), far))
            mass = np.where(kept_by_mass(mass, order, self.typical_p), mass, 0)
        return mass

    def choices(self, logits: Floats, allowed: Bits | None = None) -> NDArray[np.int64]:
        """The integer weight of every token that may be drawn, after all cuts; 0: cannot be."""
        x = self.adjusted(logits, allowed)
        if self.temperature < 1e-5:
            return np.where(np.arange(len(x)) == x.argmax(), UNIT_WEIGHT, 0)
        mass = self.kept_weights(x)
        rank = np.lexsort((np.arange(len(mass)), -mass))
        return np.where(kept_by_mass(mass, rank, self.top_p), mass, 0)

    def sample(self, logits: Floats, position: int, allowed: Bits | None = None) -> int:
        """Draws from all that is left before top-p; a draw outside its set drops all below it."""
        x = self.adjusted(logits, allowed)
        if self.temperature < 1e-5:
            return int(x.argmax())
        inside = self.choices(logits, allowed) > 0
        mass = self.kept_weights(x)
        rank = np.lexsort((np.arange(len(mass)), -mass))
        for attempt in range(1 << 32):
            offset = random_bits(self.seed, position, attempt) * int(mass.sum()) >> 64
            token = int(np.searchsorted(np.cumsum(mass), offset, side="right"))
            if inside[token]:
                return token
            loser = int(np.flatnonzero(rank == token)[0])
            mass[rank[loser:]] = 0
        raise AssertionError("unreachable: every attempt drops a token")

    def probabilities(self, logits: Floats, allowed: Bits | None = None) -> NDArray[np.float64]:
        """What the draws should follow, from the samplers' definitions in real numbers.

        Shares no step with `sample` after the adjustments: no integers, no attempts.
        """
        x = self.adjusted(logits, allowed).astype(np.float64)
        if self.temperature < 1e-5:
            return np.where(np.arange(len(x)) == x.argmax(), 1.0, 0.0)
        p = np.exp((x - x.max()) / self.temperature)
        p[p < self.min_p * p.max()] = 0
        if self.top_k > 0:
            p[np.argsort(-x, kind="stable")[self.top_k :]] = 0
        p /= p.sum()
        if self.typical_p < 1:
            surprise = -np.log(np.where(p > 0, p, 1))
            far = np.where(p > 0, np.abs(surprise - (p * surprise).sum()), np.inf)
            p = _smallest_set(p, np.argsort(far, kind="stable"), self.typical_p)
        return _smallest_set(p, np.argsort(-p, kind="stable"), self.top_p)

    def logprobs(
        self, logits: Floats, id: int, top_n: int = 0
    ) -> tuple[float, list[tuple[int, float]]]:
        """Log-probabilities of the model itself: no bias, no penalty, no temperature."""
        x = logits.astype(np.float64)
        logprob = x - x.max() - math.log(np.exp(x - x.max()).sum())
        top = np.lexsort((np.arange(len(x)), -x))[:top_n]
        finite = [int(i) for i in top if logits[i] > -np.inf]
        return float(logprob[id]), [(i, float(logprob[i])) for i in finite]
