"""Writes the file that `edgeward.kernels` reads as a safety model; docs/safety-models.md has it.

Knows: the format, how numbers become int8. Does not know: where the numbers are from.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAGIC = b"EWSAFETY"
VERSION = 2
LEVELS = ("strict", "balanced", "permissive")


@dataclass(frozen=True)
class Head:
    """Name, calibration and thresholds of one head."""

    name: str
    calibration: tuple[float, float, float, float]
    """Factors of the linear logit, the encoder's and log2(windows), and what is added."""
    alone: tuple[float, float, float]
    """Of short texts below the last number, a linear logit: its factor, and what is added."""
    thresholds: tuple[tuple[float, float], ...]
    """(false-positive rate, probability) for each of LEVELS."""


@dataclass(frozen=True)
class Encoder:
    """The encoder's numbers, as floats; shapes as in kernels/safety/model.h."""

    hashes: NDArray[np.uint32]
    word_rows: Floats
    piece_rows: Floats
    window: int
    layers: tuple[tuple[Floats, Floats], ...]
    """(matrix [inputs][outputs], bias) of the four layers."""


def pack(heads: Sequence[Head], weights: Floats, bias: Floats, encoder: Encoder | None) -> bytes:
    """The file's bytes. `weights` is (buckets, heads)."""
    out = [MAGIC, struct.pack("<II", VERSION, len(heads))]
    for head in heads:
        out.append(struct.pack("<I", len(head.name)) + head.name.encode("ascii"))
        out.append(struct.pack("<7f", *head.calibration, *head.alone))
        out += [struct.pack("<2f", *pair) for pair in head.thresholds]
    whole, scales = quantized(weights, axis=0)
    out.append(struct.pack("<I", len(weights)))
    out += [struct.pack("<2f", scale, add) for scale, add in zip(scales, bias, strict=True)]
    out.append(whole.tobytes())
    out.append(struct.pack("<I", 0) if encoder is None else _encoder(encoder))
    return b"".join(out)


def quantized(values: Floats, axis: int | None) -> tuple[NDArray[np.int8], Floats]:
    """int8 and the scales that undo it: one a column (`axis` 0) or one in all (None).

    The few values beyond the 99.99th percentile are cut to it, so that they do not coarsen the
    others.
    """
    top = np.quantile(np.abs(values), 0.9999, axis=axis) if values.size > 20_000 else (
        np.abs(values).max(axis=axis))  # fmt: skip
    scale = np.maximum(top / 127, 1e-12).astype(np.float32)
    return np.clip(np.rint(values / scale), -127, 127).astype(np.int8), np.atleast_1d(scale)


def _encoder(e: Encoder) -> bytes:
    width = e.word_rows.shape[1]
    channels, hidden = e.layers[0][0].shape[1], e.layers[2][0].shape[1]
    sizes = (len(e.hashes), len(e.piece_rows), width, channels, hidden, e.window)
    rows, scale = quantized(np.concatenate([e.word_rows, e.piece_rows]), axis=None)
    out = [struct.pack("<6I", *sizes), e.hashes.astype("<u4").tobytes()]
    out += [struct.pack("<f", scale[0]), rows.tobytes()]
    for matrix, bias in e.layers:
        whole, scales = quantized(matrix, axis=0)
        out += [scales.astype("<f4").tobytes(), whole.tobytes(), bias.astype("<f4").tobytes()]
    return b"".join(out)
