"""Opens the socket and serves until a signal: with uvicorn, and bounds that it does not have.

Knows: uvicorn, signals, addresses. Does not know: what is answered.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from edgeward import checks
from edgeward.errors import EdgewardError, OptionError
from edgeward.service.service import Service

from .app import App, Settings
from .keys import Keys, keys_file

GRACE = 30.0
"""Seconds that running answers may go on after a signal; then they end with the text so far."""
HEADERS_SECONDS = 15.0
"""Within which a request's head must have come."""
CONNECTIONS = 512


def listen(
    service: Service,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    keys: Path | None = None,
    hosts: list[str] | None = None,
    rate: float | None = None,
    grace: float = GRACE,
) -> None:
    """Serve over HTTP until SIGINT or SIGTERM. Opens a socket: the only thing here that does.

    On a loopback address everybody on this machine may ask. On any other a key is needed: `keys` is
    the file of their hashes (None: the store's). `hosts` are names by which clients may call this
    server on another address (None: any), `rate` requests a minute for each client.

    Raises `OptionError` for a wrong argument or an address that is taken, `EdgewardError` without
    uvicorn.
    """
    server = make_server(service, host, port, keys=keys, hosts=hosts, rate=rate, grace=grace)
    try:
        server.run()
    except SystemExit:
        raise OptionError(
            f"cannot listen on {host}:{port}; it may be taken, or not be an address of this "
            f"machine. Choose another with --host and --port."
        ) from None


def check_installed() -> None:
    """Raise `EdgewardError` where the packages of the extra `server` are missing."""
    try:
        import uvicorn.protocols.http.h11_impl  # noqa: F401
    except ImportError:
        raise EdgewardError(
            "serving over HTTP needs uvicorn: pip install 'edgeward[server]'."
        ) from None


def make_server(
    service: Service,
    host: str,
    port: int,
    *,
    keys: Path | None,
    hosts: list[str] | None,
    rate: float | None,
    grace: float,
) -> Any:
    """A uvicorn server, not yet running. Raises as `listen` does."""
    check_installed()
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    checks.whole(0, 65535, "a port, 0 to 65535")("port", port)
    checks.optional(checks.number(0, 1e9, above=True))("rate", rate)
    loopback = is_loopback(host)
    known = Keys.read(keys or keys_file())
    if not loopback and not known.names:
        raise OptionError(
            f"host is {host!r}, which others can reach, and there is no API key in "
            f"{keys or keys_file()}; make one with `edgeward serve --new-key NAME`, or listen on "
            f"127.0.0.1."
        )
    local = frozenset({"localhost", "127.0.0.1", "::1", host})
    names = None if hosts is None else frozenset(h.lower() for h in hosts)
    settings = Settings(
        keys=known,
        need_key=not loopback or keys is not None,
        hosts=local | (names or frozenset()) if loopback else names,
        rate=rate,
    )
    app = App(service, settings)

    class Protocol(H11Protocol):
        """HTTP/1.1 whose heads must come within a time: uvicorn would wait for ever."""

        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = self.loop.call_later(HEADERS_SECONDS, self._too_late)

        def data_received(self, data: bytes) -> None:
            if self._late is None and (self.cycle is None or self.cycle.response_complete):
                self._late = self.loop.call_later(HEADERS_SECONDS, self._too_late)
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._in_time()

        def connection_lost(self, exc: Exception | None) -> None:
            self._in_time()
            super().connection_lost(exc)

        def _in_time(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _too_late(self) -> None:
            self._late = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    class Server(uvicorn.Server):
        """On a signal: no new requests, running ones to their end, or to the end of the grace."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Not uvicorn's own, which raises the signal again afterwards: listen() returns.
            app.draining = True
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True

        async def shutdown(self, sockets: Any = None) -> None:
            app.draining = True
            asyncio.get_running_loop().call_later(grace, app.cancel_all)
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=int(grace) + 5,
    )
    return Server(config)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def log_to_stderr() -> None:
    """Write the server's log, one line of JSON a request, to standard error."""
    logger = logging.getLogger("edgeward.server")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
