"""A folder behind HTTP on a free port of loopback, with faults on demand; counts requests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = Callable[["Request"], bool]
"""Looks at a request; answers it in its own way and returns True, or leaves it to the server."""


@dataclass
class Request:
    """One GET: `path` without its first slash, `times` it was asked for (1: first), the content."""

    path: str
    times: int
    content: bytes
    handler: BaseHTTPRequestHandler

    def send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        """Answer; `length` may lie about the body, which ends the connection."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)
        if length not in (None, len(body)):
            self.handler.close_connection = True


@dataclass
class Server:
    """`asked` counts requests by path, `connections` those that were opened."""

    url: str
    fault: Fault | None = None
    asked: Counter[str] = field(default_factory=Counter)
    connections: int = 0

    def pieces(self) -> int:
        """How many requests for pieces came."""
        return sum(count for path, count in self.asked.items() if path.startswith("pieces/"))


@contextmanager
def serving(folder: Path, fault: Fault | None = None) -> Iterator[Server]:
    """Serve `folder` for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            server.asked[path] += 1
            file = folder / path
            content = file.read_bytes() if file.is_file() else b""
            request = Request(path, server.asked[path], content, self)
            if server.fault is not None and server.fault(request):
                return
            request.send(200 if file.is_file() else 404, content)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}", fault)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(10)
