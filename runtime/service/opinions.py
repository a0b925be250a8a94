"""Joins answers and what is thought of them: remembers the last answers for a while.

Knows: receipts, replies. Does not know: how opinions are kept (`edgeward.telemetry.feedback`).
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeward import checks
from edgeward.errors import OptionError
from edgeward.reply import Reply
from edgeward.safety import pii_filter
from edgeward.safety.guard import redacted
from edgeward.telemetry.feedback import MOST_COMMENT, Entry, Feedback

from .core import Call, Outcome

REMEMBERED = 1000
"""Answers that an opinion can still be given of; texts among them only with consent."""


@dataclass(frozen=True)
class _Answer:
    """What an opinion will need; the texts in memory only, and only with consent."""

    pack_sha256: str
    facts: dict[str, Any]
    prompt: Any = None
    answer: str | None = None


class Opinions:
    """Feedback of one service. Safe from many threads."""

    def __init__(self, feedback: Feedback, keep_text: bool) -> None:
        self.feedback, self.keep_text = feedback, keep_text
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    def saw(self, outcome: Outcome) -> None:
        """A call ended."""
        if outcome.reply is None:
            return
        answer = _answer(outcome.call, outcome.reply, self.keep_text)
        with self._lock:
            self._answers[outcome.reply.receipt.id] = answer
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def give(self, receipt: str, score: int, comment: str | None) -> None:
        """Keep an opinion. Raises `OptionError` for an unknown receipt, `KeepError`."""
        plain = checks.whole(-1, 1, "-1 (bad), 0 or 1 (good)")("score", score)
        if comment is not None and (not isinstance(comment, str) or len(comment) > MOST_COMMENT):
            raise OptionError(f"comment must be a text of at most {MOST_COMMENT} characters.")
        if comment is not None and not self.keep_text:
            raise OptionError(
                "comments are texts, and this service keeps none: start it with "
                "keep_text=True, or leave the comment out."
            )
        with self._lock:
            known = self._answers.get(receipt)
        if known is None:
            raise OptionError(
                f"no answer of this service has the receipt {str(receipt)[:64]!r}, or it is not "
                f"among the last {REMEMBERED}; reply.receipt.id has it."
            )
        said, answer = known.prompt, known.answer
        self.feedback.add(
            Entry(
                receipt,
                known.pack_sha256,
                plain,
                known.facts,
                None if comment is None else _clean(comment),
                None if said is None else _prompt(said),
                None if answer is None else _clean(answer),
            )
        )


def _answer(call: Call, reply: Reply, keep_text: bool) -> _Answer:
    receipt = reply.receipt
    facts: dict[str, Any] = {
        "finish_reason": reply.finish_reason,
        "prompt_tokens": reply.usage.prompt_tokens,
        "completion_tokens": reply.usage.completion_tokens,
        "prompt_sha256": receipt.prompt_sha256,
        "edgeward": receipt.edgeward,
        "instruction_set": receipt.instruction_set,
    }
    if reply.budget is not None:
        facts["met"] = reply.budget.met
        facts["first_token_ms"] = reply.budget.actual.first_token
    if not keep_text:
        return _Answer(receipt.pack_sha256, facts)
    facts["sampling"] = {k: v for k, v in receipt.sampling.items() if _is_plain(v)}
    return _Answer(receipt.pack_sha256, facts, call.prompt, reply.text)


def _prompt(said: Any) -> str:
    """A prompt as it is kept: a text, or messages as JSON; personal data by its kind only."""
    if isinstance(said, str):
        return _clean(said)
    return json.dumps(_cleaned(said), ensure_ascii=False)


def _cleaned(value: Any) -> Any:
    """`value` with all its texts cleaned."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(entry) for entry in value]
    return value


def _clean(text: str) -> str:
    """`text` without the personal data that the built-in check finds."""
    return redacted(text, pii_filter.check(text, "user").findings)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
