"""Other runtimes, each in a process of its own, asked through one small protocol.

A peer's worker is a script that needs nothing of ours, so that it can run under another Python with
its own packages. It reads one JSON object a line and answers with one:

    {"ids": [...], "generate": n}  ->  {"prefill_s": x, "decode_s": y, "ids": [...]}

`prefill_s` ends when the first token's logits are there, `decode_s` covers the other n - 1 tokens.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from edgeward.errors import EdgewardError, OptionError

# Name on the command line -> worker script beside this file.
WORKERS = {"genai": "genai_worker.py"}


class Peer:
    """A running worker. Use it as a context manager."""

    def __init__(self, name: str, folder: Path, threads: int, python: str | None = None) -> None:
        """Start the worker `name` on the model in `folder`.

        Raises `OptionError` for an unknown name, `EdgewardError` when the worker does not start.
        """
        if name not in WORKERS:
            raise OptionError(f"--peer {name}: known are {', '.join(WORKERS)}.")
        self.name = name
        script = Path(__file__).parent / WORKERS[name]
        self._process = subprocess.Popen(
            [python or sys.executable, str(script), str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.version = str(self._read()["version"])

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, ids: list[int], generate: int) -> dict[str, Any]:
        """Answer one prompt greedily, past the end token too; times in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"ids": ids, "generate": generate}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.kill()
            said = self._process.stderr.read().strip().splitlines()
            raise EdgewardError(f"the peer {self.name} ended: {said[-1] if said else 'no reason'}.")
        answer: dict[str, Any] = json.loads(line)
        return answer
