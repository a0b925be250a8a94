"""A child process that answers one JSON line for each JSON line it is given.

Knows: pipes, time limits, how such a process ends. Does not know: what is asked.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from edgeward.errors import EdgewardError


class LineProcess:
    """A running worker script. Use it as a context manager."""

    def __init__(
        self,
        name: str,
        python: str,
        script: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start `script` under `python`; `name` is what errors call it.

        Raises `EdgewardError` when there is no such Python.
        """
        self.name = name
        try:
            self._process = subprocess.Popen(
                [python, str(script), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        except OSError as error:
            raise EdgewardError(f"cannot start {python}: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, request: Mapping[str, Any], limit_s: float | None = None) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises `EdgewardError` when the process ends, or is ended after `limit_s` seconds.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # read() says why it ended
        return self.read(limit_s)

    def read(self, limit_s: float | None = None) -> dict[str, Any]:
        """The next answer. Raises as `ask`."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(limit_s, end) if limit_s is not None else None
        if timer is not None:
            timer.start()
        line = self._process.stdout.readline()
        if timer is not None:
            timer.cancel()
        if not line:
            self._process.kill()
            if late.is_set():
                raise EdgewardError(f"the peer {self.name}: no answer in {limit_s:.0f} s.")
            said = self._process.stderr.read().strip().splitlines()
            raise EdgewardError(f"the peer {self.name} ended: {said[-1] if said else 'no reason'}.")
        answer: dict[str, Any] = json.loads(line)
        return answer
