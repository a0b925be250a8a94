"""The task "safety": a text in, what the checks say out. Needs no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from edgeward.errors import OptionError
from edgeward.safety.check import Check
from edgeward.safety.run import Runner

from .row import Row, text_of
from .worker import Worker


class Scoring(Worker):
    """Verdicts of `checks` about texts by `role`."""

    def __init__(
        self, checks: Sequence[Check], keep: Sequence[str], *, field: str | None, role: str
    ) -> None:
        super().__init__(keep)
        if not checks:
            raise OptionError(
                "the task 'safety' has no checks; name some, such as toxicity,jailbreak."
            )
        self._checks, self._field, self._role = checks, field or "text", role
        self._runner = Runner()

    def prepare(self, row: Row, value: Mapping[str, Any]) -> str:
        return text_of(value, self._field)

    def answer(self, prepared: Sequence[str]) -> list[dict[str, Any]]:
        return [self._one(text) for text in prepared]

    def _one(self, text: str) -> dict[str, Any]:
        verdicts = [
            self._runner.verdict(check, self._role, partial(check.check, text, self._role))
            for check in self._checks
            if self._role in check.roles
        ]
        return {
            "allowed": all(verdict.allowed for verdict in verdicts),
            "safety": [_plain(verdict) for verdict in verdicts],
        }


def _plain(verdict: Any) -> dict[str, Any]:
    made = dataclasses.asdict(verdict)
    del made["message"], made["action"]  # about a request; here there is none
    return made
