"""The slow, obvious twin of the safety scorers in C++.

Knows: the model file, words, features, layers, calibration, as docs/safety-models.md defines them.
Does not know: speed. Sums go in the order of the kernels, so encoder logits are the same bits.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAX_WORD = 20
WORD_SALT, PAIR_SALT, SKIP_SALT = 0x9E3779B9, 0x7F4A7C15, 0x94D049BB
PAIR_PRIME = 0x9E3779B1
_MASK = 0xFFFFFFFF

_SPACE = [(0x80, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
          (0x205F, 0x205F), (0x3000, 0x3000)]  # fmt: skip
_NOTHING = [(0xAD, 0xAD), (0x300, 0x36F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
            (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE0FFF)]  # fmt: skip
_ALONE = [(0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2300, 0x23FF), (0x2600, 0x27BF),
          (0x2B00, 0x2BFF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x9FFF), (0xF900, 0xFAFF),
          (0xFF65, 0xFF9F), (0x1F000, 0x1F3FA), (0x1F400, 0x1FAFF), (0x20000, 0x3FFFF)]  # fmt: skip
_SIGN = [(0xA1, 0xA9), (0xAB, 0xAC), (0xAE, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7),
         (0xF7, 0xF7), (0x2010, 0x2027), (0x2030, 0x205E), (0x2070, 0x22FF), (0x2400, 0x25FF),
         (0x27C0, 0x2AFF), (0x2E00, 0x2E7F), (0x3001, 0x3004), (0x3008, 0x3020), (0xFE30, 0xFE4F),
         (0xFF00, 0xFF64), (0xFFF0, 0xFFFF)]  # fmt: skip


def char_kind(c: int) -> str:
    """`space`, `letter`, `alone`, `sign` or `nothing`."""
    if c < 128:
        if c <= 32 or c == 127:
            return "space"
        return "letter" if chr(c).isalnum() else "sign"
    for kind, ranges in (
        ("space", _SPACE),
        ("nothing", _NOTHING),
        ("alone", _ALONE),
        ("sign", _SIGN),
    ):
        if any(first <= c <= last for first, last in ranges):
            return kind
    return "letter"


def fold_char(c: int) -> int:
    """Lower case of letters whose pairs lie at a fixed distance; digits become '0'."""
    if 0x41 <= c <= 0x5A or 0xC0 <= c <= 0xDE or 0x391 <= c <= 0x3A9 or 0x410 <= c <= 0x42F:
        return c + 32
    if 0x400 <= c <= 0x40F:
        return c + 80
    return 0x30 if 0x30 <= c <= 0x39 else c


def words(text: str) -> list[tuple[list[int], bool]]:
    """(code points, is a sign) of each word. Lone surrogates are read as U+FFFD."""
    found: list[tuple[list[int], bool]] = []
    word: list[int] = []
    last_sign = 0

    def flush() -> None:
        if word:
            found.append((list(word), False))
            word.clear()

    for char in text:
        c = 0xFFFD if 0xD800 <= ord(char) <= 0xDFFF else ord(char)
        kind = char_kind(c)
        if kind == "nothing":
            continue
        if kind == "letter":
            last_sign = 0
            c = fold_char(c)
            if word[-2:] == [c, c]:
                continue
            if len(word) == MAX_WORD:
                flush()
            word.append(c)
            continue
        if c in (0x27, 0x2019) and word:
            continue
        flush()
        if kind == "space":
            last_sign = 0
        elif kind == "alone" or c != last_sign:
            last_sign = c if kind == "sign" else 0
            found.append(([c], kind == "sign"))
    flush()
    return found


def hash_mix(h: int) -> int:
    """32 bits to 32 bits."""
    h ^= h >> 16
    h = h * 0x7FEB352D & _MASK
    h ^= h >> 15
    h = h * 0x846CA68B & _MASK
    return h ^ h >> 16


def hash_of(symbols: list[int]) -> int:
    """FNV-1a a code point a step, mixed."""
    h = 0x811C9DC5
    for c in symbols:
        h = (h ^ c) * 0x01000193 & _MASK
    return hash_mix(h)


def pieces(word: list[int]) -> list[int]:
    """Hashes of the 3-, 4- and 5-grams of begin mark, word, end mark."""
    symbols = [2, *word, 3]
    return [
        hash_of(symbols[begin : begin + n])
        for begin in range(len(symbols))
        for n in (3, 4, 5)
        if begin + n <= len(symbols)
    ]


def features(text: str) -> list[int]:
    """Hashes of all features of `text`, with repeats."""
    found = []
    before = before_that = 0
    for word, sign in words(text):
        h = hash_of(word)
        found.append(hash_mix(h + WORD_SALT & _MASK))
        if sign:
            continue
        found += pieces(word)
        if before:
            found.append(hash_mix((before * PAIR_PRIME & _MASK ^ h) + PAIR_SALT & _MASK))
        if before_that:
            found.append(hash_mix((before_that * PAIR_PRIME & _MASK ^ h) + SKIP_SALT & _MASK))
        before_that, before = before, h
    return found


@dataclass
class Model:
    """A parsed file: `heads` rows of (name, calibration, alone); `linear`, `encoder` by name."""

    heads: list[tuple[str, tuple[float, ...], tuple[float, ...]]]
    linear: dict[str, Any]
    encoder: dict[str, Any] | None

    def score(self, text: str) -> Floats:
        """Probabilities, one a head; zeros for a text without words."""
        if not words(text):
            return np.zeros(len(self.heads), np.float32)
        line, (encoded, windows) = self.linear_logits(text), self.encoder_logits(text)
        scores = []
        for h, (_, calibration, alone) in enumerate(self.heads):
            by_linear, by_encoder, by_length, bias = calibration
            logit = by_linear * float(line[h]) + by_encoder * float(encoded[h])
            logit += by_length * math.log2(windows) + bias
            if windows == 1 and line[h] < np.float32(alone[2]):
                logit = alone[0] * float(line[h]) + alone[1]
            scores.append(1 / (1 + math.exp(-logit)) if logit > -700 else 0.0)
        return np.array(scores, np.float32)

    def linear_logits(self, text: str) -> Floats:
        """Sum of the weights of the distinct features over the root of their number."""
        weights = self.linear["weights"]
        buckets = {h & len(weights) - 1 for h in features(text)}
        sums = weights[sorted(buckets)].astype(np.int64).sum(0) / math.sqrt(max(len(buckets), 1))
        return np.asarray(sums * self.linear["scale"] + self.linear["bias"], np.float32)

    def encoder_logits(self, text: str) -> tuple[Floats, int]:
        """The highest of the windows' logits, and the number of windows."""
        e = self.encoder
        if e is None:
            return np.zeros(len(self.heads), np.float32), 1
        rows = np.stack([_embedded(e, word, sign) for word, sign in words(text)])
        first = np.maximum(_convolved(rows, e["first"], e["first_bias"], 1), 0)
        second = np.maximum(_convolved(first, e["second"], e["second_bias"], 2), 0) + first
        half, n = e["window"] // 2, len(rows)
        starts = [s for s in range(0, n, half) if s == 0 or n > s + half]
        logits = [_head(e, second[s : s + e["window"]]) for s in starts]
        return np.max(logits, axis=0), len(starts)


def _embedded(e: dict[str, Any], word: list[int], sign: bool) -> Floats:
    h = hash_of(word)
    at = int(np.searchsorted(e["hashes"], h))
    if at < len(e["hashes"]) and e["hashes"][at] == h:
        rows = e["word_rows"][[at]]
    else:
        found = [] if sign else pieces(word)
        rows = e["piece_rows"][[p & len(e["piece_rows"]) - 1 for p in found]]
    if len(rows) == 0:
        return np.zeros(e["word_rows"].shape[1], np.float32)
    scale = np.float32(e["row_scale"]) / np.float32(len(rows))
    return np.asarray(rows.astype(np.int32).sum(0).astype(np.float32) * scale, np.float32)


def _convolved(rows: Floats, matrix: Floats, bias: Floats, spacing: int) -> Floats:
    width = rows.shape[1]
    out = np.tile(bias, (len(rows), 1))
    for tap in range(3):
        moved = np.zeros_like(rows)
        moved[tap * spacing :] = rows[: max(len(rows) - tap * spacing, 0)]
        for i in range(width):
            out += moved[:, i : i + 1] * matrix[tap * width + i]
    return out


def _head(e: dict[str, Any], rows: Floats) -> Floats:
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    pooled = np.concatenate([rows.max(0), total / np.float32(len(rows))])
    hidden = e["third_bias"].copy()
    for i, value in enumerate(pooled):
        hidden += value * e["third"][i]
    logits = e["last_bias"].copy()
    for i, value in enumerate(np.maximum(hidden, 0)):
        logits += value * e["last"][i]
    return np.asarray(logits, np.float32)


def read(data: bytes) -> Model:
    """Parse a well-formed file; the kernel is the one that checks."""
    at = 0

    def numbers(kind: str, count: int) -> NDArray[Any]:
        nonlocal at
        values = np.frombuffer(data, kind, count, at)
        at += values.nbytes
        return values

    def matrix(inputs: int, outputs: int) -> tuple[Floats, Floats]:
        scales = numbers("<f4", outputs)
        whole = numbers("i1", inputs * outputs).reshape(inputs, outputs)
        return whole.astype(np.float32) * scales, numbers("<f4", outputs)

    at = 8
    version = int(numbers("<u4", 1)[0])
    (count,) = numbers("<u4", 1)
    heads: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = []
    for _ in range(count):
        (length,) = numbers("<u4", 1)
        name = data[at : at + length].decode()
        at += length
        calibration = struct.unpack_from("<4f", data, at)
        at += 16
        alone: tuple[float, ...] = (0.0, 0.0, -math.inf)
        if version > 1:
            alone = struct.unpack_from("<3f", data, at)
            at += 12
        heads.append((name, calibration, alone))
        at += 24
    (buckets,) = numbers("<u4", 1)
    pairs = numbers("<f4", 2 * count).reshape(count, 2)
    weights = numbers("i1", buckets * count).reshape(buckets, count)
    linear = {"weights": weights, "scale": pairs[:, 0], "bias": pairs[:, 1]}
    (known,) = numbers("<u4", 1)
    if known == 0:
        return Model(heads, linear, None)
    sizes = numbers("<u4", 5)
    piece_count, width, channels, hidden, window = (int(n) for n in sizes)
    e: dict[str, Any] = {"window": window, "hashes": numbers("<u4", known)}
    e["row_scale"] = numbers("<f4", 1)[0]
    e["word_rows"] = numbers("i1", known * width).reshape(known, width)
    e["piece_rows"] = numbers("i1", piece_count * width).reshape(piece_count, width)
    e["first"], e["first_bias"] = matrix(3 * width, channels)
    e["second"], e["second_bias"] = matrix(3 * channels, channels)
    e["third"], e["third_bias"] = matrix(2 * channels, hidden)
    e["last"], e["last_bias"] = matrix(hidden, count)
    return Model(heads, linear, e)
