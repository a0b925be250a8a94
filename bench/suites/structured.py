"""Structured output: how many answers validate, and what the grammar adds to a token.

Knows: `response_format`, schemas, validation by `jsonschema`, which had no part in making the
answers. The added time of a model step is what the thread that runs the model spent on the grammar
(waiting for the mask, taking the token, looking for forced ones), plus what the sampler takes
longer with a mask than without. The computation of the masks themselves runs beside the model.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np

import edgeward
from edgeward.errors import EdgewardError
from edgeward.kernels import _native
from edgeward.model import Model
from edgeward.reply import Reply

from ..progress import Tell
from ..stats import Summary, summarize

TASK = "Write one JSON document that a program will read. {description}"


@dataclass(frozen=True)
class Setting:
    """What is measured."""

    generations: int = 100
    """Answers in all, shared among the schemas in turn."""
    max_tokens: int = 600
    threads: int | None = None


@dataclass
class Row:
    """What was seen of one schema."""

    schema: str
    compile_ms: float
    answers: int = 0
    valid: int = 0
    tokens: int = 0
    forced: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    """Finish reasons and how often each was given."""
    invalid: list[str] = field(default_factory=list)
    """Seed, end and first error of the answers that do not validate."""


@dataclass(frozen=True)
class Result:
    """All of it."""

    model: str
    rows: list[Row]
    figures: dict[str, Summary]

    @property
    def valid_share(self) -> float:
        """Answers that validate, as a share of all."""
        return sum(r.valid for r in self.rows) / sum(r.answers for r in self.rows)


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """The 20 schemas of this suite by name."""
    folder = resources.files(__package__) / "schemas"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            yield file.name.removesuffix(".json"), json.loads(file.read_text(encoding="utf-8"))


def run(source: str, setting: Setting, tell: Tell) -> Result:
    """Load a model and measure it. Raises `EdgewardError` where jsonschema is not installed."""
    validators = _validators()
    with edgeward.load(source, threads=setting.threads) as model:
        known = dict(schemas())
        rows = {name: Row(name, _compile_ms(model, schema)) for name, schema in known.items()}
        added: list[float] = []
        speeds: list[float] = []
        names = list(known)
        for number in range(setting.generations):
            name, seed = names[number % len(names)], number // len(names)
            tell(name, number, setting.generations)
            reply = _ask(model, known[name], seed, setting.max_tokens)
            _note(rows[name], reply, validators[name], seed)
            added += (1000 * ms for ms in reply.timing.grammar)
            if reply.timing.decode_tokens_per_second is not None:
                speeds.append(reply.timing.decode_tokens_per_second)
        mask = _mask_microseconds(model)
        figures = {
            "added to a token": summarize([a + mask for a in added], "us"),
            "of it the mask in the sampler": summarize([mask], "us"),
            "compile": summarize([row.compile_ms for row in rows.values()], "ms"),
            "decode, forced tokens included": summarize(speeds, "tokens/s"),
        }
        return Result(model.info.name, [r for r in rows.values() if r.answers], figures)


def _validators() -> dict[str, Any]:
    try:
        import jsonschema
    except ImportError:
        raise EdgewardError(
            "jsonschema, which judges the answers, is not installed: pip install jsonschema."
        ) from None
    return {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas()}


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "schema": schema}


def _compile_ms(model: Model, schema: dict[str, Any]) -> float:
    """Time from the call to the first piece of work, less that of the second call."""
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        model.generate("a", stream=True, max_tokens=1, response_format=_format(schema))
        taken.append((time.perf_counter() - began) * 1000)
    return taken[0] - taken[1]


def _ask(model: Model, schema: dict[str, Any], seed: int, max_tokens: int) -> Reply:
    prompt = TASK.format(description=schema["description"])
    return model.chat(prompt, response_format=_format(schema), seed=seed, max_tokens=max_tokens)


def _note(row: Row, reply: Reply, validator: Any, seed: int) -> None:
    row.answers += 1
    row.tokens += reply.usage.completion_tokens
    row.forced += reply.usage.forced_tokens
    row.ends[reply.finish_reason] = row.ends.get(reply.finish_reason, 0) + 1
    try:
        error = next(validator.iter_errors(json.loads(reply.text)), None)
        wrong = None if error is None else error.message
    except ValueError as broken:
        wrong = f"no JSON: {broken}"
    if wrong is None:
        row.valid += 1
    else:
        row.invalid.append(f"seed {seed}, ended by {reply.finish_reason}: {wrong[:200]}")


def _mask_microseconds(model: Model, rounds: int = 300) -> float:
    """What a step of the sampler takes longer with a mask: medians, taking turns."""
    count = min(model.info.architecture.vocabulary, model.tokenizer.vocab_size)
    logits = np.random.default_rng(7).normal(0, 3, count).astype(np.float32)
    allowed = np.random.default_rng(8).integers(0, 2**32, -(-count // 32), dtype=np.uint32)
    sampler = _native.Sampler(count, temperature=0.7, top_p=0.95, top_k=50)
    taken: tuple[list[float], list[float]] = ([], [])
    for position in range(rounds):
        for mask, times in zip((None, allowed), taken, strict=True):
            began = time.perf_counter()
            sampler.sample(logits, position, mask)
            times.append((time.perf_counter() - began) * 1e6)
    return max(0.0, statistics.median(taken[1]) - statistics.median(taken[0]))
