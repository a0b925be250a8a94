"""One step of the sampler against one pass over the same logits (`numpy.argmax`).

Knows: made logits, settings, interleaved timing. Does not know: models, packs. Run it alone with
`python -m edgeward.bench.suites.sampling`.

The machine drifts within minutes, so sampler and yardstick take turns and the figure to quote is
the ratio of their medians. Each setting is compared with its slow twin before it is timed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import EdgewardError
from edgeward.kernels import _native, reference

VOCABULARIES = (49_152, 128_256, 262_144)
WINDOW = 4096

SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "temperature": {"temperature": 0.8},
    "top_k 50, top_p .95": {"top_k": 50, "top_p": 0.95},
    "top_k 1000": {"top_k": 1000},
    "top_p .9": {"top_p": 0.9},
    "min_p .05": {"min_p": 0.05},
    "top_p .9, min_p .01": {"top_p": 0.9, "min_p": 0.01},
    "typical_p .9": {"typical_p": 0.9},
    "top_n_sigma 1": {"top_n_sigma": 1.0},
    "xtc .5, min_p .05": {"xtc_probability": 0.5, "min_p": 0.05},
    "mirostat 5": {"mirostat_tau": 5.0},
    f"greedy, dry over {WINDOW}": {"temperature": 0.0, "dry_multiplier": 0.8},
    f"greedy, all penalties over {WINDOW}": {
        "temperature": 0.0,
        "repetition_penalty": 1.1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
    },
}


@dataclass(frozen=True)
class Row:
    """Medians of one setting, in microseconds a step, and of the pass beside it."""

    vocabulary: int
    setting: str
    isa: str
    microseconds: float
    argmax_microseconds: float

    @property
    def passes(self) -> float:
        """The step's cost in passes over the logits."""
        return self.microseconds / self.argmax_microseconds


def rows(
    vocabularies: Iterable[int] = VOCABULARIES, *, isa: str | None = None, rounds: int = 200
) -> Iterator[Row]:
    """Measure every setting on logits of normal(0, 3), as rows in the order of SETTINGS.

    Raises `EdgewardError` when the sampler and its twin disagree; nothing is timed then.
    """
    for vocabulary in vocabularies:
        logits = np.random.default_rng(7).normal(0, 3, vocabulary).astype(np.float32)
        window = np.random.default_rng(8).integers(0, vocabulary, WINDOW)
        for name, setting in SETTINGS.items():
            sampler = _native.Sampler(vocabulary, seed=1, isa=isa, **setting)
            _check(name, setting, sampler, logits)
            if "over" in name:
                for token in window.tolist():
                    sampler.observe(token)
            step, scan = _interleaved(_stepper(sampler, logits), logits.argmax, rounds)
            yield Row(vocabulary, name, isa or _native.active_isa(), step, scan)


def _check(
    name: str, setting: dict[str, Any], sampler: _native.Sampler, logits: NDArray[np.float32]
) -> None:
    twin = reference.Sampler(len(logits), seed=1, **setting)
    ours, theirs = sampler.sample(logits, 0), twin.sample(logits, 0)
    if ours != theirs:
        raise EdgewardError(
            f"{name}: the sampler drew {ours}, its twin {theirs}; nothing was timed."
        )


def _stepper(sampler: _native.Sampler, logits: NDArray[np.float32]) -> Callable[[], object]:
    position = iter(range(2**62))
    return lambda: sampler.sample(logits, next(position))


def _interleaved(
    step: Callable[[], object], scan: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Median microseconds of both, taking turns; the first tenth warms up."""
    taken: tuple[list[int], list[int]] = ([], [])
    for _ in range(rounds + rounds // 10):
        for call, times in zip((step, scan), taken, strict=True):
            began = time.perf_counter_ns()
            call()
            times.append(time.perf_counter_ns() - began)
    medians = [statistics.median(times[rounds // 10 :]) / 1000 for times in taken]
    return medians[0], medians[1]


if __name__ == "__main__":
    for row in rows():
        print(
            f"{row.vocabulary:>7}  {row.setting:<32} {row.microseconds:9.1f} us"
            f"  argmax {row.argmax_microseconds:5.1f} us  {row.passes:7.2f} passes  {row.isa}"
        )
