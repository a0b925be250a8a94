"""How much sooner the first text comes when a long system prompt was computed before."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from edgeward.errors import EdgewardError
from edgeward.model import Model
from edgeward.service.serve import serve
from edgeward.service.service import Service

from ..progress import Tell
from .model import prompt_ids
from .serve_figure import Figure
from .text import CHAT_MESSAGES

if TYPE_CHECKING:
    from .serve import Setting

SYSTEM = 500
"""Tokens of the system prompt, about."""
QUESTIONS = CHAT_MESSAGES[:4]


def measure(model: Model, setting: Setting, tell: Tell) -> list[Figure]:
    """Each round: a new system prompt, then other questions behind the same."""
    cold, warm = [], []
    with serve(model) as service:
        for round_ in range(setting.rounds):
            tell("prefix", round_, setting.rounds)
            words = model.tokenizer.decode(prompt_ids(model, SYSTEM - 8, round_ + 1))
            system = f"Rules, edition {round_}: {words}"
            first, reused = _first(service, system, QUESTIONS[0])
            if reused > SYSTEM // 2:
                raise EdgewardError("the first request with a system prompt found it in the cache.")
            cold.append(first)
            for question in QUESTIONS[1:]:
                again, reused = _first(service, system, question)
                if reused < SYSTEM // 2:
                    raise EdgewardError(f"only {reused} tokens of a system prompt were reused.")
                warm.append(again)
    part = "prefix"
    gain = median(cold) / median(warm)
    return [
        Figure(part, "first text, system prompt new", median(cold), "ms", len(cold)),
        Figure(part, "first text, system prompt held", median(warm), "ms", len(warm)),
        Figure(part, "sooner", gain, "x", len(warm), 8, "least"),
    ]


def _first(service: Service, system: str, question: str) -> tuple[float, int]:
    """Milliseconds to the first text, and the tokens that were not computed again."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    began = time.perf_counter()
    stream = service.chat(messages, max_tokens=4, seed=1, stream=True)
    first = None
    for chunk in stream:
        if chunk.text and first is None:
            first = (time.perf_counter() - began) * 1000
    if first is None:
        raise EdgewardError(f"no text came for {question!r}.")
    return first, stream.reply.usage.cached_tokens
