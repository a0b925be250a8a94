"""Other runtimes, each in a process of its own, asked through one small protocol.

A peer's worker is a script that needs nothing of ours, so that it can run under another Python with
its own packages. It reads one JSON object a line and answers with one:

    {"ids": [...], "generate": n}  ->  {"prefill_s": x, "decode_s": y, "ids": [...]}

`prefill_s` ends when the first token's logits are there, `decode_s` covers the other n - 1 tokens.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from edgeward.errors import OptionError

from .lines import LineProcess

# Name on the command line -> worker script beside this file.
WORKERS = {
    "genai": "genai_worker.py",
    "llama": "llama_worker.py",
    "openvino": "openvino_worker.py",
}


class Peer(LineProcess):
    """A running worker. Use it as a context manager."""

    def __init__(self, name: str, folder: Path, threads: int, python: str | None = None) -> None:
        """Start the worker `name` on the model in `folder`.

        Raises `OptionError` for an unknown name, `EdgewardError` when the worker does not start.
        """
        if name not in WORKERS:
            raise OptionError(f"--peer {name}: known are {', '.join(WORKERS)}.")
        script = Path(__file__).parent / WORKERS[name]
        super().__init__(name, python or sys.executable, script, [str(folder), str(threads)])
        self.version = str(self.read()["version"])

    def run(self, ids: list[int], generate: int) -> dict[str, Any]:
        """Answer one prompt greedily, past the end token too; times in seconds."""
        return self.ask({"ids": ids, "generate": generate})
