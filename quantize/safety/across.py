"""Figures across sources: how the scorers do on sources, and templates, that they never saw.

Knows: scores of rows left out, thresholds that were set on benign rows left out. Does not know:
training. Intervals are 95 % bootstrap intervals over the rows of a group (Efron 1979); they say how
sure a figure is for that source, not how another source would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluate.safety import auc
from . import model_file
from .rows import HEADS

Floats = NDArray[np.float64]

_DRAWS, _SEED = 400, 11


def probabilities(head: model_file.Head, inputs: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(rows, 3) inputs to what the kernel gives, and for which rows it needs no encoder."""
    factor, bias, start = head.alone
    *factors, add = head.calibration
    alone = (inputs[:, 2] == 0) & (inputs[:, 0] < start)
    logits = np.where(alone, factor * inputs[:, 0] + bias, inputs @ np.array(factors) + add)
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500)))), alone


def figures(
    rows: Sequence[tuple[str, tuple[int, int]]],
    inputs: Floats,
    heads: Sequence[model_file.Head],
    benign: Sequence[str],
) -> dict[str, Any]:
    """For each head and group: AUC, unsafe found and safe flagged at each level, with intervals.

    `rows` are (group, labels), `inputs` (rows, heads, 3) with NaN for what was not scored. A
    group's unsafe texts are held against its own safe ones ("auc") and against those of `benign`,
    every group counting the same ("auc_benign").
    """
    groups = np.array([group for group, _ in rows])
    seen = ~np.isnan(inputs[:, 0, 0])
    said: dict[str, Any] = {}
    for number, head in enumerate(heads):
        labels = np.array([both[HEADS.index(head.name)] for _, both in rows])
        scores = np.full(len(rows), np.nan)
        alone = np.zeros(len(rows), bool)
        scores[seen], alone[seen] = probabilities(head, inputs[seen, number])
        plain = seen & np.isin(groups, benign) & (labels == 0)
        line = dict.fromkeys(("linear", "encoder"))
        own: dict[str, Any] = {"without_encoder": float(alone[plain].mean()), "scorers": line}
        for name in sorted(set(groups[seen & (labels >= 0)].tolist())):
            unsafe, safe = (seen & (groups == name) & (labels == label) for label in (1, 0))
            own[name] = _group(scores, unsafe, safe, plain, groups, head.thresholds)
        for at, kind in enumerate(line):
            line[kind] = {
                name: _against(
                    inputs[:, number, at], seen & (groups == name) & (labels == 1), plain, groups
                )
                for name in own
                if (seen & (groups == name) & (labels == 1)).any()
            }
        said[head.name] = own
    return said


def _group(
    scores: Floats,
    unsafe: NDArray[np.bool_],
    safe: NDArray[np.bool_],
    plain: NDArray[np.bool_],
    groups: NDArray[Any],
    limits: Sequence[tuple[float, float]],
) -> dict[str, Any]:
    found: dict[str, Any] = {"unsafe": int(unsafe.sum()), "safe": int(safe.sum())}
    for level, (_, limit) in zip(model_file.LEVELS, limits, strict=True):
        for kind, which in (("found", unsafe), ("flagged", safe)):
            if which.any():
                found[f"{kind}_{level}"] = _share(scores[which] >= limit)
    if unsafe.any():
        found["auc_benign"] = _against(scores, unsafe, plain, groups)
        if safe.any():
            found["auc"] = _drawn(scores[unsafe], scores[safe])
    return found


def _share(flags: NDArray[np.bool_]) -> tuple[float, float, float]:
    rng = np.random.default_rng(_SEED)
    drawn = rng.binomial(len(flags), flags.mean(), _DRAWS) / len(flags)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(flags.mean()), float(low), float(high)


def _against(
    scores: Floats, unsafe: NDArray[np.bool_], plain: NDArray[np.bool_], groups: NDArray[Any]
) -> float:
    """Mean over the benign groups of the AUC against each."""
    own = scores[unsafe]
    values = [_auc(own, scores[plain & (groups == name)]) for name in np.unique(groups[plain])]
    return float(np.mean(values))


def _drawn(unsafe: Floats, safe: Floats) -> tuple[float, float, float]:
    rng = np.random.default_rng(_SEED)
    draws = [
        _auc(rng.choice(unsafe, len(unsafe)), rng.choice(safe, len(safe))) for _ in range(_DRAWS)
    ]
    low, high = np.quantile(draws, (0.025, 0.975))
    return _auc(unsafe, safe), float(low), float(high)


def _auc(unsafe: Floats, safe: Floats) -> float:
    labels = np.concatenate([np.ones(len(unsafe)), np.zeros(len(safe))])
    return auc(np.concatenate([unsafe, safe]), labels)
