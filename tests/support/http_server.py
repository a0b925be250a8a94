"""A service behind a real socket on a free port, in a thread; and requests below any client."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edgeward
from edgeward.server.listen import make_server


@dataclass
class Address:
    """Where a server listens."""

    port: int
    server: Any

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def raw(self, data: bytes, *, wait: float = 20.0) -> bytes:
        """Send bytes and read until the server closes; `connection: close` makes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as client:
            client.sendall(data)
            parts = []
            while part := client.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request; `headers` with `_` for `-`."""
        sent = {"host": f"127.0.0.1:{self.port}", "connection": "close"}
        if body is not None:
            sent |= {"content-type": "application/json", "content-length": str(len(body))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
        answer = self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *others = head.decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in others]
        found = {name.lower(): value for name, value in pairs}
        return int(first.split()[1]), found, rest

    def post(self, path: str, value: object, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a JSON request."""
        status, _, body = self.ask("POST", path, json.dumps(value).encode(), **headers)
        return status, json.loads(body)


@contextmanager
def serving(
    service: edgeward.Service,
    *,
    host: str = "127.0.0.1",
    keys: Path | None = None,
    hosts: list[str] | None = None,
    rate: float | None = None,
    grace: float = 5.0,
) -> Iterator[Address]:
    """Listen for as long as the block lasts."""
    server = make_server(service, host, 0, keys=keys, hosts=hosts, rate=rate, grace=grace)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            assert thread.is_alive()
            time.sleep(0.01)
        yield Address(server.servers[0].sockets[0].getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
