"""Beam search: which continuations of several are kept, step by step, and which are returned.

Knows: log-probabilities, scores, ends, as transformers defines them (`num_beams`, `length_penalty`,
`early_stopping`, `num_return_sequences`). Does not know: models, caches, text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from . import checks
from .errors import OptionError

MOST_BEAMS = 64


@dataclass(frozen=True)
class BeamOptions:
    """How a beam search runs. Raises `OptionError` for a value out of range."""

    num_beams: int = 1
    """Continuations kept at each step, 1 to 64; 1: no beam search."""
    length_penalty: float = 1.0
    """A finished sequence scores its log-probability / length ** this, -10 to 10; above 0 favours
    longer ones."""
    early_stopping: bool | str = False
    """True: end once num_beams are finished; False: once no better one is likely; "never": once
    none is possible."""
    num_return_sequences: int = 1
    """Sequences to return, 1 to num_beams."""

    def __post_init__(self) -> None:
        many = checks.whole(1, MOST_BEAMS, f"a whole number from 1 to {MOST_BEAMS}")
        object.__setattr__(self, "num_beams", many("num_beams", self.num_beams))
        penalty = checks.number(-10, 10)("length_penalty", self.length_penalty)
        object.__setattr__(self, "length_penalty", penalty)
        if self.early_stopping != "never" and not isinstance(self.early_stopping, bool):
            legal = "True, False or 'never'"
            raise checks.refusal("early_stopping", self.early_stopping, legal)
        legal = f"a whole number from 1 to num_beams, which is {self.num_beams}"
        some = checks.whole(1, self.num_beams, legal)
        count = some("num_return_sequences", self.num_return_sequences)
        object.__setattr__(self, "num_return_sequences", count)

    @classmethod
    def taken_from(cls, arguments: dict[str, Any]) -> BeamOptions | None:
        """Options from those of `arguments` that are its own, which are removed; None for no beams.

        Raises `OptionError` for one that needs `num_beams` and has none.
        """
        own = {f.name: arguments.pop(f.name, None) for f in fields(cls)}
        given = {name: value for name, value in own.items() if value is not None}
        options = cls(**given)
        if options.num_beams > 1:
            return options
        if idle := [name for name in given if name != "num_beams" and given[name] is not False]:
            raise OptionError(f"{idle[0]} is for a beam search; give num_beams of 2 or more too.")
        return None


@dataclass(frozen=True)
class Beam:
    """A sequence of generated ids. `score` is its log-probability; of a finished one, by length."""

    ids: tuple[int, ...]
    score: float


@dataclass(frozen=True)
class Step:
    """One running beam of the next step: the number of the beam it continues, and its new token."""

    parent: int
    token: int


class BeamSearch:
    """The beams of one search, fed step by step.

    Each step takes, for each running beam, its likeliest next tokens with their log-probabilities,
    at least `candidates` of them where there are so many.

    Args:
        options: see `BeamOptions`.
        limit: tokens to generate at most.
        end_ids: tokens that end a sequence.
    """

    def __init__(self, options: BeamOptions, limit: int, end_ids: frozenset[int]) -> None:
        self.options = options
        self.candidates = max(2, 1 + len(end_ids)) * options.num_beams
        self.running = [Beam((), 0.0)]
        self.finished: list[Beam] = []
        """Best first; at most num_beams."""
        self._limit = limit
        self._end_ids = end_ids
        self._length = 0

    def step(self, tops: Sequence[Sequence[tuple[int, float]]]) -> list[Step]:
        """Take the likeliest tokens of each running beam; returns what runs on, [] at the end."""
        width = self.options.num_beams
        found = [
            (beam.score + logprob, number, token)
            for number, (beam, top) in enumerate(zip(self.running, tops, strict=True))
            for token, logprob in top
        ]
        # Highest first; of equals the lower beam, then the lower token.
        found.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
        found = found[: self.candidates]
        self._length += 1
        last = self._length == self._limit
        ended: list[Beam] = []
        going: list[tuple[Beam, Step]] = []
        for place, (score, number, token) in enumerate(found):
            ids = (*self.running[number].ids, token)
            if last or token in self._end_ids:
                # Only the best num_beams may finish; the others are there to run on.
                if place < width:
                    by_length = float(self._length) ** self.options.length_penalty
                    ended.append(Beam(ids, score / by_length))
            elif len(going) < width:
                going.append((Beam(ids, score), Step(number, token)))
        if not (self._full() and self.options.early_stopping is True):
            merged = sorted([*self.finished, *ended], key=lambda beam: -beam.score)
            self.finished = merged[:width]
        self.running = [beam for beam, _ in going]
        return [] if not going or self._done() else [step for _, step in going]

    def best(self) -> list[Beam]:
        """The sequences to return, best first."""
        return self.finished[: self.options.num_return_sequences]

    def _full(self) -> bool:
        return len(self.finished) == self.options.num_beams

    def _done(self) -> bool:
        """True when nothing better is to be had, by the rule of `early_stopping`."""
        if not self._full():
            return False
        if self.options.early_stopping is True:
            return True
        penalty = self.options.length_penalty
        far = self.options.early_stopping == "never" and penalty > 0
        length = self._limit if far else self._length
        best: float = self.running[0].score / float(length) ** penalty
        return best <= self.finished[-1].score
