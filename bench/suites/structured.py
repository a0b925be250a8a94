"""Structured output: how many answers validate, and what the grammar adds to a token.

Knows: `response_format`, schemas, validation by `jsonschema`, which had no part in making the
answers. The added time of a model step is the time between it and the step before (drawing a token
with its mask, the grammar's work that cannot wait, text) less the median of the same time without a
format; answers with and without one take turns. The masks are computed beside the model, so whole
steps are compared as well, the model included: what that costs the model shows there.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import edgeward
from edgeward.errors import EdgewardError
from edgeward.model import Model
from edgeward.reply import Reply

from ..progress import Tell
from ..stats import Summary, summarize

FREE_ANSWERS, FREE_TOKENS = 100, 40
"""How many answers without a format are compared with at most, and how long they are."""
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


@dataclass
class Times:
    """Of answers with a format, or without."""

    host: list[float] = field(default_factory=list)
    """Microseconds between two model steps."""
    steps: list[float] = field(default_factory=list)
    """Milliseconds of whole steps in which the model computed one token."""

    def note(self, reply: Reply) -> None:
        """Take an answer's times."""
        self.host += (1000 * ms for ms in reply.timing.host)
        # A forced token has no time of its own; the step behind it computes several.
        each = reply.timing.per_token[1:]
        self.steps += (
            now
            for before, now in zip(reply.timing.per_token, each, strict=False)
            if before > 0 and now > 0
        )


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
        guided, free = Times(), Times()
        speeds: list[float] = []
        names = list(known)
        for number in range(setting.generations):
            name, seed = names[number % len(names)], number // len(names)
            tell(name, number, setting.generations)
            reply = _ask(model, known[name], seed, setting.max_tokens)
            _note(rows[name], reply, validators[name], seed)
            guided.note(reply)
            if number < FREE_ANSWERS:
                free.note(_ask_freely(model, known[name], seed, setting.max_tokens))
            if reply.timing.decode_tokens_per_second is not None:
                speeds.append(reply.timing.decode_tokens_per_second)
        compile_ms = [row.compile_ms for row in rows.values()]
        figures = _figures(guided, free, compile_ms, speeds)
        return Result(model.info.name, [r for r in rows.values() if r.answers], figures)


def _figures(
    guided: Times, free: Times, compile_ms: list[float], speeds: list[float]
) -> dict[str, Summary]:
    """All that have samples: answers of a token or two have no steps."""
    usual = statistics.median(free.host) if free.host else 0.0
    samples = {
        "added to a token": ([us - usual for us in guided.host if free.host], "us"),
        "between two model steps": (guided.host, "us"),
        "between two, without a format": (free.host, "us"),
        "whole step": (guided.steps, "ms"),
        "whole step without a format": (free.steps, "ms"),
        "compile": (compile_ms, "ms"),
        "decode, forced tokens included": (speeds, "tokens/s"),
    }
    return {name: summarize(of, unit) for name, (of, unit) in samples.items() if of}


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


def _ask_freely(model: Model, schema: dict[str, Any], seed: int, max_tokens: int) -> Reply:
    """The same question without a format."""
    prompt, most = TASK.format(description=schema["description"]), min(FREE_TOKENS, max_tokens)
    return model.chat(prompt, seed=seed, max_tokens=most, ignore_eos=True)


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
