"""Blocks rounded by themselves: to nearest, or with the scale that an importance prefers.

Knows arrays only.
"""

from __future__ import annotations

import numpy as np

from edgeward.quantize.weights import Floats

from .gptq import fit, limits
from .grids import BLOCK, Format, Values


def nearest(values: Floats, form: Format) -> Values:
    """Round finite `values` (rows, columns): the ends of a block become the ends of the range."""
    blocks = values.reshape(len(values), -1, BLOCK)
    low, high = limits(form)
    if form.minimum:
        first = blocks.min(axis=2)
        scales = _kept((blocks.max(axis=2) - first) / np.float32(high - low), form)
        minima = _kept(first - np.float32(low) * scales, form)
    else:
        at = np.abs(blocks).argmax(axis=2)[:, :, None]
        extreme = np.take_along_axis(blocks, at, axis=2)[:, :, 0]
        scales = _kept(extreme / np.float32(low), form)
        minima = None
    return _coded(values, form, scales, minima)


def search(values: Floats, weights: Floats, form: Format) -> Values:
    """With the best of some scales a block; `weights` (columns,) is each column's importance."""
    columns = np.ascontiguousarray(values.T, np.float32)
    weights = np.ascontiguousarray(weights, np.float32)
    begins = range(0, len(columns), BLOCK)
    found = [fit(columns[b : b + BLOCK], weights[b : b + BLOCK], form) for b in begins]
    scales = np.stack([scale for scale, _ in found], axis=1)
    minima = np.stack([minimum for _, minimum in found], axis=1) if form.minimum else None
    return _coded(values, form, scales, minima)


def floats(values: Values) -> Floats:
    """What the codes stand for, float32 (rows, columns)."""
    shape = values.values.shape
    blocks = values.values.reshape(shape[0], -1, BLOCK) * values.scales[:, :, None]
    if values.minima is not None:
        blocks += values.minima[:, :, None]
    return np.asarray(blocks.reshape(shape), np.float32)


def _coded(values: Floats, form: Format, scales: Floats, minima: Floats | None) -> Values:
    low, high = limits(form)
    blocks = values.reshape(len(values), -1, BLOCK)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=np.abs(scales) > 1e-30)
    above = blocks if minima is None else blocks - minima[:, :, None]
    codes = np.rint(above * inverse[:, :, None])
    np.clip(codes, low, high, out=codes)
    return Values(codes.astype(np.int8).reshape(values.shape), scales, minima)


def _kept(numbers: Floats, form: Format) -> Floats:
    if not form.half:
        return np.asarray(numbers, np.float32)
    return np.clip(numbers, -65504, 65504).astype(np.float16).astype(np.float32)
