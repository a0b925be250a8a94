"""What a service adds to the bare model: to the first text, and to each token.

The same requests in turns, with the same seeds, so that both draw the same tokens; the prompt's
prefix is held, so that little else is in the time to the first text. The checks hold
text back to the end of a sentence, whoever runs them: the first text is compared with that of the
model under the same checks, the time per token with that of the model without any.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

import edgeward
from edgeward.errors import EdgewardError
from edgeward.model import Model
from edgeward.service.budget import Budget
from edgeward.service.serve import serve

from ..progress import Tell
from .model import prompt_ids
from .serve_figure import Figure

if TYPE_CHECKING:
    from .serve import Setting

PROMPT = 48
LIMITS = Budget(first_token=60_000, per_token=10_000, total=600_000)
"""All are on, and none is reached."""


def measure(model: Model, setting: Setting, tell: Tell) -> list[Figure]:
    """Differences of medians over rounds in turns."""
    checks = [edgeward.toxicity_filter, edgeward.jailbreak_detector]
    with serve(
        model, latency_budget=LIMITS, cost_per_token=1.0, safety_checks=checks, audit=False
    ) as service:
        ways: dict[str, tuple[Any, dict[str, Any]]] = {
            "model": (model, {}),
            "model, checks": (model, {"safety_checks": checks}),
            "service": (service, {"safety_checks": ()}),
            "service, checks": (service, {}),
        }
        first: dict[str, list[float]] = {way: [] for way in ways}
        step: dict[str, list[float]] = {way: [] for way in ways}
        for i in range(setting.rounds + 1):
            tell("overhead", i, setting.rounds + 1)
            ids = prompt_ids(model, PROMPT, i)
            # Once before, so that every way finds the prompt's prefix held.
            answers = {_timed(model, ids, setting.tokens, {})[2]}
            for way in list(ways) if i % 2 else list(ways)[::-1]:
                asked, more = ways[way]
                shown, each, tokens = _timed(asked, ids, setting.tokens, more)
                answers.add(tokens)
                if i:
                    first[way].append(shown)
                    step[way].append(each)
            if len(answers) != 1:
                raise EdgewardError("the service and the model gave different tokens.")
    return _figures(first, step)


def _timed(
    asked: Any, ids: list[int], tokens: int, more: dict[str, Any]
) -> tuple[float, float, tuple[int, ...]]:
    """Milliseconds to the first text, and a token after that of the prompt; and the tokens."""
    began = time.perf_counter()
    stream = asked.generate(ids, max_tokens=tokens, seed=1, ignore_eos=True, stream=True, **more)
    shown = None
    for chunk in stream:
        if chunk.text and shown is None:
            shown = time.perf_counter()
    ended = time.perf_counter()
    reply = stream.reply
    before = (reply.timing.prefill + reply.timing.tokenize) / 1000
    each = (ended - began - before) / max(1, len(reply.token_ids) - 1)
    return ((shown or ended) - began) * 1000, each * 1000, reply.token_ids


def _figures(first: dict[str, list[float]], step: dict[str, list[float]]) -> list[Figure]:
    n = len(first["model"])

    def more(of: str, than: str) -> float:
        """Median of the differences within rounds: what the machine does meanwhile cancels."""
        return median(a - b for a, b in zip(first[of], first[than], strict=True))

    def share(of: str, than: str) -> float:
        return 100 * (median(a / b for a, b in zip(step[of], step[than], strict=True)) - 1)

    part = "overhead"
    return [
        Figure(part, "first text, over the model", more("service", "model"), "ms", n, 1),
        Figure(
            part,
            "first text, both with checks",
            more("service, checks", "model, checks"),
            "ms",
            n,
            1,
        ),
        Figure(part, "a token, over the model", share("service", "model"), "%", n, 3),
        Figure(part, "a token, with all checks", share("service, checks", "model"), "%", n, 3),
        Figure(part, "a token of the model", median(step["model"]), "ms", n),
    ]
