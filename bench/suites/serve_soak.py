"""A server under thousands of requests, good, bad, cancelled and cut off: what is lost, what grows.

The server is a process of its own, started by the command users start it with; requests go over
sockets. Each request has an end that was foretold: an answer that is whole, an error of the right
status, or a connection that the client closed itself. Anything else is counted as lost.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from edgeward.errors import EdgewardError

from ..progress import Tell

_SERVER = "from edgeward.cli import main; main()"
_START_S = 300.0
_WAIT_S = 120.0
"""Longest that a client waits for an answer; longer is lost."""
_SAMPLES = 40
"""Times at which the server's memory is looked at."""
WORDS = ("river", "stone", "winter", "harbour", "engine", "music", "garden", "letter", "ocean")


@dataclass(frozen=True)
class Setting:
    """How many requests, from how many clients at once."""

    requests: int = 10_000
    clients: int = 10
    tokens: int = 24
    seed: int = 1


@dataclass
class Result:
    """What came of it."""

    ends: Counter[str] = field(default_factory=Counter)
    """By kind of request and what came back."""
    lost: list[str] = field(default_factory=list)
    """Requests whose end was not the one foretold."""
    memory: list[int] = field(default_factory=list)
    """Private bytes of the server, evenly over the requests."""
    seconds: float = 0.0
    left_running: int = 0
    log_errors: list[str] = field(default_factory=list)
    """Lines of the server's log that are no request's line, or tell of an error inside."""
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def growth(self) -> float:
        """The last quarter's memory against the second quarter's, in percent of it.

        The first is left out: caches fill.
        """
        quarter = max(1, len(self.memory) // 4)
        before = median(self.memory[quarter : 2 * quarter])
        return 100 * (median(self.memory[-quarter:]) - before) / before

    @property
    def passed(self) -> bool:
        """Nothing lost, nothing left, no error inside, memory flat within 2 %."""
        return not (self.lost or self.left_running or self.log_errors) and self.growth <= 2.0


def run(name: str, setting: Setting, tell: Tell) -> Result:
    """Serve the pack `name` and send it the requests."""
    result, began = Result(), time.perf_counter()
    with _server(name, result) as (port, process):
        numbers, lock = iter(range(setting.requests)), threading.Lock()
        every = max(1, setting.requests // _SAMPLES)

        def client() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                    if number is None:
                        return
                    if number % every == 0:
                        result.memory.append(_private_bytes(process.pid))
                        tell("soak", number, setting.requests)
                kind, end = _one(port, number, setting)
                with lock:
                    result.ends[f"{kind}: {end}"] += 1
                    if end.startswith("lost"):
                        result.lost.append(f"request {number}, {kind}: {end}")

        threads = [threading.Thread(target=client) for _ in range(setting.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        result.stats = _settled(port)
        result.left_running = result.stats["running"] + result.stats["waiting"]
        result.memory.append(_private_bytes(process.pid))
    result.seconds = time.perf_counter() - began
    return result


@contextmanager
def _server(name: str, result: Result) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = _free_port()
    arguments = ["serve", name, "--port", str(port), "--max-active", "4", "--max-queue", "8"]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, *arguments, "--safety", "toxicity,jailbreak"],
        stderr=subprocess.PIPE,
        text=True,
    )
    reader = threading.Thread(target=_read_log, args=(process, result))
    reader.start()
    try:
        until = time.monotonic() + _START_S
        while True:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                reader.join(10)
                raise EdgewardError(f"the server did not start: {result.log_errors[-3:]}")
            try:
                if _ask(port, "GET", "/ready", None)[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        result.log_errors.clear()  # what it says when it starts
        yield port, process
    finally:
        process.terminate()
        process.wait(60)
        reader.join(10)


def _read_log(process: subprocess.Popen[str], result: Result) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        try:
            status = json.loads(line[line.index("{") :])["status"]
        except (ValueError, KeyError):
            status = 599
        if status >= 500:
            result.log_errors.append(line.strip())


def _one(port: int, number: int, setting: Setting) -> tuple[str, str]:
    """Send request `number`; returns its kind and how it ended."""
    dice = random.Random(f"{setting.seed} {number}")
    kind = dice.choice(("whole", "whole", "stream", "stream", "leave", "early", "session", *BAD))
    try:
        return kind, _send(port, kind, dice, setting)
    except (OSError, ValueError, IndexError) as error:
        return kind, f"lost: {type(error).__name__}: {error}"


BAD = {
    "no json": (b"{", 400),
    "wrong type": (b'{"model": 7, "messages": []}', 400),
    "unknown model": (b'{"model": "x", "messages": [{"role": "user", "content": "a"}]}', 404),
    "not utf-8": (b'{"model": "\xff"}', 400),
    "too large": (b" " * 5_000_000, 413),
}
"""Bodies that must be refused, and with what."""
_FULL = (429, 422)
"""Refusals that a good request may get: no room, or no time."""


def _send(port: int, kind: str, dice: random.Random, setting: Setting) -> str:
    if kind in BAD:
        body, expected = BAD[kind]
        status, _ = _ask(port, "POST", "/v1/chat/completions", body)
        return str(status) if status == expected else f"lost: status {status}, not {expected}"
    asked: dict[str, Any] = {
        "model": _name(port),
        "messages": [{"role": "user", "content": " ".join(dice.choices(WORDS, k=12))}],
        "max_tokens": dice.randint(1, setting.tokens),
        "seed": dice.randint(0, 10**6),
        "stream": kind != "whole",
    }
    if kind == "session":
        asked["edgeward"] = {
            "session": f"s{dice.randint(0, 30)}",
            "latency_budget": {"total": 5000},
        }
    if kind in ("leave", "early"):
        asked["max_tokens"] = 500
    body = json.dumps(asked).encode()
    if kind in ("leave", "early"):
        return _leave(port, body, dice, read=kind == "leave")
    status, answer = _ask(port, "POST", "/v1/chat/completions", body)
    if status in _FULL or (kind == "session" and status == 400 and b"session" in answer):
        return str(status)
    if status != 200:
        return f"lost: status {status}: {answer[:200]!r}"
    if kind == "whole":
        json.loads(answer)["choices"][0]["finish_reason"]
        return "200"
    return "200" if b"data: [DONE]" in answer else "lost: a stream without its end"


def _leave(port: int, body: bytes, dice: random.Random, *, read: bool) -> str:
    """Send a request and go, at once or after a piece of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT_S) as client:
        client.sendall(_head(port, "POST", "/v1/chat/completions", body) + body)
        if read:
            client.recv(1 + dice.randint(0, 2000))
        else:
            time.sleep(dice.random() * 0.05)
    return "left"


def _ask(port: int, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Status and body of a whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT_S) as client:
        # A body that is too large is not read to its end; the answer is there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(_head(port, method, path, body) + (body or b""))
        parts = []
        try:
            while part := client.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            if not parts:
                raise
    answer = b"".join(parts)
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def _head(port: int, method: str, path: str, body: bytes | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", "connection: close"]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


_names: dict[int, str] = {}


def _name(port: int) -> str:
    """The model's name, asked once a server."""
    if port not in _names:
        _names[port] = json.loads(_ask(port, "GET", "/v1/models", None)[1])["data"][0]["id"]
    return _names[port]


def _settled(port: int) -> dict[str, Any]:
    """The server's figures once nothing runs any more, or after ten seconds."""
    until = time.monotonic() + 10
    while True:
        stats: dict[str, Any] = json.loads(_ask(port, "GET", "/v1/stats", None)[1])
        if not stats["running"] + stats["waiting"] or time.monotonic() > until:
            return stats
        time.sleep(0.1)


def _private_bytes(pid: int) -> int:
    """Anonymous resident memory of a process. Linux only."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise EdgewardError(f"/proc/{pid}/status has no RssAnon; the soak needs Linux 4.5 or newer.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
