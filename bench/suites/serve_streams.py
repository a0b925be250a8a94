"""Many streams at once: their speed in all, their tokens, and how soon a cancelled one is gone."""

from __future__ import annotations

import threading
import time
from statistics import median
from typing import TYPE_CHECKING

from edgeward.cancel import CancelToken
from edgeward.errors import EdgewardError
from edgeward.model import Model
from edgeward.reply import Reply
from edgeward.service.serve import serve
from edgeward.service.service import Service

from ..progress import Tell
from .serve_figure import Figure, percentile
from .text import CHAT_MESSAGES

if TYPE_CHECKING:
    from .serve import Setting

LONG = 1500
"""Tokens of answers that are cancelled on the way."""


def measure(model: Model, setting: Setting, tell: Tell) -> list[Figure]:
    """One stream and many in turns; then cancels among many."""
    with serve(model, max_active=setting.streams) as service:
        alone = {i: _answer(service, setting, i) for i in range(setting.streams)}
        ratios, speeds, steps = [], [], []
        for round_ in range(setting.rounds):
            tell("streams", round_, setting.rounds)
            began = time.perf_counter()
            single = _answer(service, setting, round_ % setting.streams)
            one = len(single.token_ids) / (time.perf_counter() - began)
            replies, took = _together(service, setting)
            for i, reply in replies.items():
                if reply.token_ids != alone[i].token_ids:
                    raise EdgewardError(f"stream {i} differs from its answer alone.")
            many = sum(len(reply.token_ids) for reply in replies.values()) / took
            ratios.append(many / one)
            speeds.append(many)
            steps += [t for reply in replies.values() for t in reply.timing.per_token[1:]]
        gone = [_cancel(service, setting, i, tell) for i in range(setting.rounds)]
    n = setting.streams
    return [
        Figure("streams", f"speed of {n} over one", median(ratios), "x", len(ratios), 2, "least"),
        Figure("streams", f"tokens of {n} streams", median(speeds), "tokens/s", len(speeds)),
        Figure("streams", f"a token of one of {n}, p99", percentile(steps, 99), "ms", len(steps)),
        Figure("streams", "cancelled to gone, p50", percentile(gone, 50), "ms", len(gone)),
        Figure("streams", "cancelled to gone, most", max(gone), "ms", len(gone), 50),
    ]


def _answer(service: Service, setting: Setting, i: int) -> Reply:
    message = CHAT_MESSAGES[i % len(CHAT_MESSAGES)]
    reply: Reply = service.chat(message, seed=i, max_tokens=setting.tokens, ignore_eos=True)
    return reply


def _together(service: Service, setting: Setting) -> tuple[dict[int, Reply], float]:
    """All streams at once: their replies, and the seconds from the first start to the last end."""
    replies: dict[int, Reply] = {}

    def work(i: int) -> None:
        replies[i] = _answer(service, setting, i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(setting.streams)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(replies) != setting.streams:
        raise EdgewardError(f"{setting.streams - len(replies)} streams ended with an error.")
    return replies, time.perf_counter() - began


def _cancel(service: Service, setting: Setting, round_: int, tell: Tell) -> float:
    """Milliseconds from `cancel` until the place of one of many streams is free."""
    tell("cancels", round_, setting.rounds)
    tokens = [CancelToken() for _ in range(setting.streams)]

    def work(i: int) -> None:
        service.chat(
            CHAT_MESSAGES[i % len(CHAT_MESSAGES)],
            seed=i,
            max_tokens=LONG,
            ignore_eos=True,
            cancel=tokens[i],
        )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(setting.streams)]
    for thread in threads:
        thread.start()
    time.sleep(0.15 + 0.01 * round_)
    before = service.stats()["running"]
    began = time.perf_counter()
    tokens[round_ % setting.streams].cancel()
    while service.core.gate.running >= before:
        if time.perf_counter() - began > 10:
            raise EdgewardError("a cancelled stream was still running after ten seconds.")
        time.sleep(0.0005)
    took = (time.perf_counter() - began) * 1000
    for token in tokens:
        token.cancel()
    for thread in threads:
        thread.join()
    return took
