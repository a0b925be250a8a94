"""The tasks "chat" and "generate": a prompt in, an answer out."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from edgeward.errors import Cancelled
from edgeward.model import Model
from edgeward.reply import Reply
from edgeward.safety.screen import SafetyChecks

from .joined import Joined, Joint
from .row import Row, RowError, text_of
from .worker import Worker

_SEEDS = 2**53


class Generating(Worker):
    """Answers prompts. A row's `sampling` object goes before the arguments of the run.

    Each row has a seed of its own, `seed` plus its index, so that a result does not depend on what
    ran before it.
    """

    def __init__(
        self,
        model: Model,
        keep: Sequence[str],
        *,
        chat: bool,
        field: str | None,
        system: str | None,
        sampling: Mapping[str, Any],
        safety_checks: SafetyChecks | None,
        concurrency: int | None = None,
    ) -> None:
        super().__init__(keep)
        self._model, self._chat, self._field = model, chat, field
        self._system, self._sampling, self._checks = system, sampling, safety_checks
        # More rows at once gain little each, and each takes a cache (docs/scale.md has figures).
        self._most = concurrency or (16 if model.info.graph_kind == "fused" else 1)
        self._joint = Joint(model, self._most)
        self._lock = threading.Lock()
        self._running: set[Joined] = set()
        self._stopped = False

    def prepare(self, row: Row, value: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        own = value.get("sampling", {})
        if own is None:
            own = {}
        if not isinstance(own, Mapping):
            raise RowError("the field 'sampling' must be an object of sampling arguments.")
        for name in ("stream", "cancel", "safety_checks", "session"):
            if name in own:
                raise RowError(f"'sampling' has {name!r}, which is not one row's to choose.")
        sampling = {**self._sampling, **own}
        if "seed" not in own:
            sampling["seed"] = (self._sampling["seed"] + row.index) % _SEEDS
        return self._prompt(value), sampling

    def answer(self, prepared: Sequence[tuple[Any, dict[str, Any]]]) -> list[dict[str, Any]]:
        return [self._one(prompt, sampling) for prompt, sampling in prepared]

    @property
    def concurrency(self) -> int:
        return self._most

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for token in self._running:
                token.cancel()

    def close(self) -> None:
        self._model.close()

    def _prompt(self, value: Mapping[str, Any]) -> Any:
        if self._chat and self._field is None and "messages" in value:
            messages = value["messages"]
            if not isinstance(messages, list):
                raise RowError("the field 'messages' must be a list of {role, content}.")
            return self._with_system(messages)
        text = text_of(value, self._field or "prompt")
        return self._with_system([{"role": "user", "content": text}]) if self._chat else text

    def _with_system(self, messages: list[Any]) -> list[Any]:
        if self._system is None:
            return messages
        return [{"role": "system", "content": self._system}, *messages]

    def _one(self, prompt: Any, sampling: dict[str, Any]) -> dict[str, Any]:
        ask: Any = self._model.chat if self._chat else self._model.generate
        with Joined(self._joint) as token:
            self._note(token)
            try:
                reply = ask(prompt, cancel=token, safety_checks=self._checks, **sampling)
            finally:
                self._forget(token)
        if reply.finish_reason == "cancelled":
            raise Cancelled("the run was stopped.")
        return _result(reply)

    def _note(self, token: Joined) -> None:
        with self._lock:
            self._running.add(token)
            if self._stopped:
                token.cancel()

    def _forget(self, token: Joined) -> None:
        with self._lock:
            self._running.discard(token)


def _result(reply: Reply) -> dict[str, Any]:
    """What is kept of a reply: nothing that differs from run to run, as times and ids do."""
    receipt = dataclasses.asdict(reply.receipt)
    del receipt["id"]
    usage = dataclasses.asdict(reply.usage)
    # How much of a prompt was still there from another row is a matter of order, not of the row.
    del usage["cached_tokens"]
    made: dict[str, Any] = {"text": reply.text, "finish_reason": reply.finish_reason}
    if reply.parsed is not None:
        made["parsed"] = reply.parsed
    if reply.tool_calls:
        made["tool_calls"] = [dataclasses.asdict(call) for call in reply.tool_calls]
    if reply.logprobs is not None:
        made["logprobs"] = [dataclasses.asdict(token) for token in reply.logprobs]
    if reply.safety:
        made["safety"] = [dataclasses.asdict(verdict) for verdict in reply.safety]
    return {**made, "usage": usage, "receipt": receipt}
