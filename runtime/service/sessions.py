"""Conversations that a service remembers by name, in memory only until they are saved.

Knows: messages, the ids of the last prompt. Does not know: files (`session_file.py`), engines.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeward.errors import OptionError
from edgeward.store import is_name

MOST = 1024
"""Conversations that one service remembers; a new one beyond is refused, none is dropped."""


class Session:
    """One conversation. `messages` is all that was said, also what no longer fits a prompt."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._messages: list[dict[str, Any]] = []
        self.last_ids: list[int] = []
        """Ids of the last prompt: keys and values of its beginning may be held."""
        self._busy = threading.Lock()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """A copy of what was said so far."""
        return copy.deepcopy(self._messages)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held while a question is answered: one at a time. Raises `OptionError` when taken."""
        self.take()
        try:
            yield
        finally:
            self.give_back()

    def take(self) -> None:
        """Begin a turn; `give_back` ends it."""
        if not self._busy.acquire(blocking=False):
            raise OptionError(
                f"the session {self.name!r} is answering another message; wait for its end, or "
                f"use a session of another name."
            )

    def give_back(self) -> None:
        """End a turn."""
        self._busy.release()

    def add(self, messages: list[dict[str, Any]], ids: list[int]) -> None:
        """Append a finished exchange; `ids` are those of its prompt."""
        self._messages.extend(copy.deepcopy(messages))
        self.last_ids = ids


class Sessions:
    """The sessions of one service, by name. Safe from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._named: dict[str, Session] = {}

    def get(self, name: str) -> Session:
        """The session of this name, begun when there is none. Raises `OptionError`."""
        if not isinstance(name, str) or not is_name(name):
            raise OptionError(
                f"session is {name!r}; use 1 to 128 letters, digits, '.', '_' or '-', and begin "
                f"with a letter or a digit."
            )
        with self._lock:
            found = self._named.get(name)
            if found is None:
                if len(self._named) >= MOST:
                    raise OptionError(
                        f"{MOST} sessions are remembered, and {name!r} would be one more; forget "
                        f"one with service.forget(name), or save it first."
                    )
                found = self._named[name] = Session(name)
            return found

    def put(self, session: Session) -> None:
        """Take in a restored session. Raises `OptionError` when the name is in use."""
        with self._lock:
            if session.name in self._named:
                raise OptionError(
                    f"there is a session {session.name!r} already; forget it, or give another name."
                )
            self._named[session.name] = session

    def forget(self, name: str) -> bool:
        """Drop a session and what was said in it; False when there was none."""
        with self._lock:
            return self._named.pop(name, None) is not None

    def names(self) -> list[str]:
        """Names of all sessions, in the order they began."""
        with self._lock:
            return list(self._named)
