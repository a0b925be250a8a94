"""The slow, obvious twin of every kernel, under the same names: what defines the right answer.

Knows: the definitions, written with whole sorted arrays. Does not know: blocks, passes, speed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

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

    def fill(value: float | np.float32) -> Floats:
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


def rank(mass: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices by weight, highest first, equal ones by lower index."""
    order: NDArray[np.int64] = np.lexsort((np.arange(len(mass)), -mass))
    return order


def common_end(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens the two have in common at their ends."""
    pairs = zip(reversed(a), reversed(b), strict=False)
    return next((i for i, (s, t) in enumerate(pairs) if s != t), min(len(a), len(b)))


def _smallest_set(
    p: NDArray[np.float64], order: NDArray[np.int64], mass: float
) -> NDArray[np.float64]:
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros_like(p)
    kept[order] = np.where(before < mass, p[order], 0)
    kept /= kept.sum()
    return kept


@dataclass
class Sampler:
    """Twin of `_native.Sampler`: same arguments, same tokens."""

    vocab_size: int
    _: KW_ONLY
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat_tau: float = 0.0
    mirostat_eta: float = 0.1
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_window: int = 0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_window: int = 0
    dry_breaker_ids: Sequence[int] = ()
    no_repeat_ngram_size: int = 0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    banned_ids: Sequence[int] = ()
    bad_words_ids: Sequence[Sequence[int]] = ()
    min_tokens: int = 0
    end_ids: Sequence[int] = ()
    forced_ids: Sequence[int] = ()
    seed: int = 0
    prompt: list[int] = field(default_factory=list, init=False)
    output: list[int] = field(default_factory=list, init=False)
    drawn: tuple[int, float] | None = field(default=None, init=False)
    """Mirostat: the last token drawn and its surprise in bits."""

    def __post_init__(self) -> None:
        self.mu = 2 * self.mirostat_tau

    def observe_prompt(self, ids: Iterable[int]) -> None:
        self.prompt.extend(ids)

    def observe(self, id: int) -> None:
        self.output.append(id)
        if self.drawn and self.drawn[0] == id:
            self.mu -= self.mirostat_eta * (self.drawn[1] - self.mirostat_tau)
            self.drawn = None

    # what acts on single tokens

    def adjusted(self, logits: Floats, allowed: Bits | None = None) -> Floats:
        """The mask, bans, bias, penalties and DRY, in this order."""
        x = logits.copy()
        if allowed is not None:
            bits = np.unpackbits(allowed.astype("<u4").view(np.uint8), bitorder="little")
            x[bits[: self.vocab_size] == 0] = -np.inf
        x[list(self.banned())] = -np.inf
        for id, bias in self.logit_bias.items():
            x[id] += np.float32(bias)
        self.penalize(x)
        for id, run in self.dry_runs().items():
            grown = min(self.dry_base ** min(run - self.dry_allowed_length, 10_000), 1e30)
            x[id] -= np.float32(min(self.dry_multiplier * grown, 1e30))
        return x

    def banned(self) -> set[int]:
        banned = {*self.banned_ids}
        if len(self.output) < self.min_tokens:
            banned.update(self.end_ids)
        for *head, last in self.bad_words_ids:
            if self.output[len(self.output) - len(head) :] == head:
                banned.add(last)
        if self.no_repeat_ngram_size > 0:
            tokens = [*self.prompt, *self.output]
            need = self.no_repeat_ngram_size - 1
            banned.update(
                tokens[i] for i in range(len(tokens)) if common_end(tokens, tokens[:i]) >= need
            )
        return banned

    def penalize(self, x: Floats) -> None:
        """The three penalties over the last `penalty_window` tokens (0: all), as vLLM has them."""
        f = np.float32
        tokens = [*self.prompt, *self.output]
        first = max(0, len(tokens) - self.penalty_window) if self.penalty_window else 0
        output = tokens[max(first, len(self.prompt)) :]
        shrink, grow = f(1 / self.repetition_penalty), f(self.repetition_penalty)
        for id in {*tokens[first:]}:
            count = output.count(id)
            discount = f(self.frequency_penalty * count + self.presence_penalty * (count > 0))
            x[id] = x[id] * (shrink if x[id] > 0 else grow) - discount

    def dry_runs(self) -> dict[int, int]:
        """Token -> the longest run at the end of the history that stood before it already."""
        tokens = [*self.prompt, *self.output]
        if self.dry_window:
            tokens = tokens[-self.dry_window :]
        breakers = {*self.dry_breaker_ids}
        reach = next((i for i, t in enumerate(reversed(tokens)) if t in breakers), len(tokens))
        longest: dict[int, int] = {}
        for i, token in enumerate(tokens):
            run = min(common_end(tokens, tokens[:i]), reach)
            if self.dry_multiplier > 0 and token not in breakers and run >= self.dry_allowed_length:
                longest[token] = max(longest.get(token, 0), run)
        return longest

    # what cuts

    def scale(self) -> np.float32:
        return np.float32(LOG2_E / self.temperature)

    def kept_weights(self, x: Floats) -> NDArray[np.int64]:
        """Integer weights after min-p, top-n-sigma, top-k and typical-p; 0: cut."""
        ids = np.arange(len(x))
        keep = x > -np.inf
        if self.min_p > 0:
            keep &= x >= np.float32(float(x.max()) + self.temperature * math.log(self.min_p))
        if self.top_n_sigma > 0:
            spread = x[x > -np.inf].astype(np.float64).std()
            keep &= x >= np.float32(float(x.max()) - self.top_n_sigma * spread)
        if self.top_k > 0:
            order = np.lexsort((ids, -x))  # highest first, equal ones by lower id
            keep &= np.isin(ids, order[keep[order]][: self.top_k])
        mass = np.where(keep, weights(x, self.scale()), 0)
        if self.typical_p < 1:
            with np.errstate(all="ignore"):
                power = ((x - x.max()) * self.scale()).astype(np.float64)
            power[mass == 0] = 0
            # Whole numbers of 2^-24, so that the sum has no order; added in two halves.
            parts = mass * np.rint(-power * 2.0**24).astype(np.int64)
            high, low = int((parts >> 32).sum()), int((parts & 0xFFFFFFFF).sum())
            mean = (float(high) * 2.0**32 + float(low)) * -(2.0**-24) / float(mass.sum())
            far = np.where(mass > 0, np.abs(power - mean), np.inf).astype(np.float32)
            mass = np.where(kept_by_mass(mass, np.lexsort((ids, far)), self.typical_p), mass, 0)
        return mass

    def exclude(self, mass: NDArray[np.int64], position: int) -> NDArray[np.int64]:
        """XTC: all choices at the threshold but the least probable one, now and then."""
        drawn = (random_bits(self.seed, position, 0, stream=1) >> 11) / 2**53
        top = mass >= max(math.ceil(self.xtc_threshold * float(mass.sum())), 1)
        if drawn >= self.xtc_probability or top.sum() < 2:
            return mass
        order = rank(mass)
        top[order[top[order]][-1]] = False
        return np.where(top, 0, mass)

    # what draws

    def sample(self, logits: Floats, position: int, allowed: Bits | None = None) -> int:
        if len(self.output) < len(self.forced_ids):
            return self.forced_ids[len(self.output)]
        x = self.adjusted(logits, allowed)
        if self.temperature < 1e-5:
            return int(x.argmax())
        if self.mirostat_tau > 0:
            return self.draw_mirostat(weights(x, self.scale()), position)
        mass = self.kept_weights(x)
        inside = kept_by_mass(mass, rank(mass), self.top_p)
        if self.xtc_probability > 0:
            return self.draw(self.exclude(np.where(inside, mass, 0), position), position, 0)
        # From all that is left before top-p; a draw outside its set drops all from there down.
        order = rank(mass)
        for attempt in range(1 << 32):
            token = self.draw(mass, position, attempt)
            if inside[token]:
                return token
            loser = int(np.flatnonzero(order == token)[0])
            mass[order[loser:]] = 0
        raise AssertionError("unreachable: every attempt drops a token")

    def draw(self, mass: NDArray[np.int64], position: int, attempt: int) -> int:
        """The token under a random offset when the weights are laid end to end by id."""
        offset = random_bits(self.seed, position, attempt) * int(mass.sum()) >> 64
        return int(np.searchsorted(np.cumsum(mass), offset, side="right"))

    def draw_mirostat(self, mass: NDArray[np.int64], position: int) -> int:
        bar = min(max(math.ceil(float(mass.sum()) * 2**-self.mu), 1), UNIT_WEIGHT)
        mass = np.where(mass >= bar, mass, 0)
        token = self.draw(mass, position, 0)
        self.drawn = (token, math.log2(int(mass.sum())) - math.log2(int(mass[token])))
        return token

    # what the draws should follow

    def probabilities(self, logits: Floats, allowed: Bits | None = None) -> NDArray[np.float64]:
        """The distribution of `sample`, from the samplers' definitions in real numbers.

        Shares no step with `sample` after the adjustments: no integers, no attempts.
        """
        x = self.adjusted(logits, allowed).astype(np.float64)
        if self.temperature < 1e-5:
            best: NDArray[np.float64] = (np.arange(len(x)) == x.argmax()).astype(np.float64)
            return best
        p: NDArray[np.float64] = np.exp((x - x.max()) / self.temperature)
        if self.mirostat_tau > 0:
            p /= p.sum()
            p[(-np.log2(np.maximum(p, 1e-300)) > self.mu) & (p < p.max())] = 0
            p /= p.sum()
            return p
        p[p < self.min_p * p.max()] = 0
        if self.top_n_sigma > 0:
            p[x < x.max() - self.top_n_sigma * x[x > -np.inf].std()] = 0
        if self.top_k > 0:
            p[np.argsort(-x, kind="stable")[self.top_k :]] = 0
        p /= p.sum()
        if self.typical_p < 1:
            surprise = -np.log(np.where(p > 0, p, 1))
            far = np.where(p > 0, np.abs(surprise - (p * surprise).sum()), np.inf)
            p = _smallest_set(p, np.argsort(far, kind="stable"), self.typical_p)
        p = _smallest_set(p, np.argsort(-p, kind="stable"), self.top_p)
        top = np.argsort(-p, kind="stable")[: int((p >= self.xtc_threshold).sum())]
        if self.xtc_probability == 0 or len(top) < 2:
            return p
        less = p.copy()
        less[top[:-1]] = 0
        share = self.xtc_probability
        mixed: NDArray[np.float64] = (1 - share) * p + share * less / less.sum()
        return mixed

    def logprobs(
        self, logits: Floats, id: int, top_n: int = 0
    ) -> tuple[float, list[tuple[int, float]]]:
        """Log-probabilities of the model itself: no bias, no penalty, no temperature."""
        x = logits.astype(np.float64)
        logprob = x - x.max() - math.log(np.exp(x - x.max()).sum())
        top = np.lexsort((np.arange(len(x)), -x))[:top_n]
        finite = [int(i) for i in top if logits[i] > -np.inf]
        return float(logprob[id]), [(i, float(logprob[i])) for i in finite]
