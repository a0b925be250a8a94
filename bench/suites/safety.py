"""How long the safety scorers take: a text of several lengths, and each piece of a growing reply.

Knows: the model that ships, its slow twin, the two learned checks, texts. Does not know: the guard.
The twin must give the same scores before anything is timed. One thread; a call from Python counts
in full. "score" is both heads on the text as it is; "both checks" is what a message costs: read
once (normalized, decoded, scored), judged twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random

import numpy as np

from edgeward.errors import EdgewardError
from edgeward.kernels import _native, reference_safety
from edgeward.quantize.safety.grammar import attacks, benign
from edgeward.safety import jailbreak_detector, toxicity_filter, weights

from ..stats import Summary, summarize
from .text import CHAT_MESSAGES, PROSE

TOLERANCE = 1e-6
"""Of a probability, between the kernels and their twin."""


@dataclass(frozen=True)
class Setting:
    """How to measure."""

    characters: tuple[int, ...] = (64, 256, 1024, 8192)
    calls: int = 500
    """Of each length."""


def run(setting: Setting) -> dict[str, Summary]:
    """Microseconds a call for each length, and a push of about four characters to a stream.

    Raises `EdgewardError` when the kernels and their twin disagree; nothing is timed then.
    """
    data = weights.read()
    model = _native.SafetyModel.from_bytes(data)
    _agree(model, reference_safety.read(data))
    figures = {}
    for count in setting.characters:
        texts = _texts(count)
        times = _timed(lambda: model.score(next(texts)), setting.calls)  # noqa: B023
        figures[f"score, {count} characters"] = summarize(times, "us")
        times = _timed(lambda: _both(next(texts)), setting.calls)  # noqa: B023
        figures[f"both checks, {count} characters"] = summarize(times, "us")
    for name, made in (("ordinary prompts", _prompts(256)), ("mixed messages", _mixed())):
        times = _timed(lambda: _both(next(made)), 4 * setting.calls)  # noqa: B023
        figures[f"both checks, {name}"] = summarize(times, "us")
    stream, pieces = model.stream(), _pieces()
    times = _timed(lambda: stream.push(next(pieces)), 4 * setting.calls)
    half = len(times) // 2
    figures["push, first half of a long reply"] = summarize(times[:half], "us")
    figures["push, second half"] = summarize(times[half:], "us")
    return figures


def _both(text: str) -> None:
    reading = toxicity_filter.read(text)
    toxicity_filter.judge(reading, text, "user")
    jailbreak_detector.judge(reading, text, "user")


def _agree(model: _native.SafetyModel, twin: reference_safety.Model) -> None:
    for text in (*CHAT_MESSAGES, PROSE[:600]):
        ours, slow = model.score(text), twin.score(text)
        if not np.allclose(ours, slow, rtol=0, atol=TOLERANCE):
            raise EdgewardError(f"kernel {ours} and twin {slow} disagree on {text!r:.60}.")


def _timed(call: Callable[[], object], calls: int) -> list[float]:
    for _ in range(min(20, calls)):
        call()
    times = []
    for _ in range(calls):
        begin = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - begin) / 1000)
    return times


def _texts(count: int) -> Iterator[str]:
    """Different texts of that many characters, for ever."""
    prose = PROSE * (count // len(PROSE) + 2)
    at = 0
    while True:
        yield prose[at : at + count]
        at = (at + 97) % len(PROSE)


def _prompts(longest: int) -> Iterator[str]:
    """Ordinary prompts, each cut at `longest` characters, for ever."""
    texts = [text for text, kind in benign.rows(400, Random(11)) if kind == "user"]
    yield from cycle([*(text[:longest] for text in texts), *CHAT_MESSAGES])


def _mixed() -> Iterator[str]:
    """Prompts, system prompts, attacks and documents of 20 to 4,000 characters, for ever."""
    rng = Random(12)
    texts = [text for text, _ in benign.rows(300, rng)]
    texts += list(attacks.bare(100, rng))
    texts += [PROSE[at : at + rng.randint(200, 4000)] for at in range(0, 2000, 40)]
    rng.shuffle(texts)
    yield from cycle(texts)


def _pieces() -> Iterator[str]:
    """Prose in pieces as a model emits them, for ever."""
    at = 0
    while True:
        yield PROSE[at : at + 4]
        at = (at + 4) % (len(PROSE) - 4)
