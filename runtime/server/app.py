"""The ASGI application: who may ask, what for, and that every answer ends.

Knows: paths, keys, hosts, limits. Does not know: how an answer is made, or written
(`completions.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edgeward.errors import EdgewardError
from edgeward.service.service import Service
from edgeward.telemetry.metrics import Metrics

from . import completions, others
from .keys import Keys
from .limits import Rate
from .problems import Problem, problem_of
from .wire import Exchange, Gone, Receive, Scope, Send

log = logging.getLogger("edgeward.server")

MOST_BODY = 4 * 2**20
BODY_SECONDS = 30.0


@dataclass(frozen=True)
class Settings:
    """How a server is run."""

    keys: Keys = field(default_factory=lambda: Keys({}))
    need_key: bool = False
    hosts: frozenset[str] | None = frozenset({"localhost", "127.0.0.1", "::1"})
    """Names by which clients may call this server; None: any. A page of another site whose name was
    made to point here ("DNS rebinding") calls it by that site's."""
    rate: float | None = None
    """Requests a minute for each client."""
    most_body: int = MOST_BODY
    body_seconds: float = BODY_SECONDS


class App:
    """One service over ASGI."""

    def __init__(self, service: Service, settings: Settings | None = None) -> None:
        self.service = service
        self.settings = settings or Settings()
        self.name = service.model.info.name
        self.started = int(time.time())
        self.fingerprint = f"edgeward-{service.model.info.pack_sha256[:12]}"
        self.draining = False
        """Takes no more requests; those that run go on."""
        self.running: set[completions.Cancellable] = set()
        self.metrics = _metrics(service)
        """None without prometheus-client."""
        self._rate = Rate(self.settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        began, request_id = time.perf_counter(), uuid.uuid4().hex
        note: dict[str, Any] = {}
        try:
            await self._serve(exchange, request_id, note)
        except Gone:
            note["end"] = "client left"
        except asyncio.CancelledError:
            note["end"] = "server stopped"
            raise
        except Exception as error:
            await self._fail(exchange, error, note)
        finally:
            ms = (time.perf_counter() - began) * 1000
            _tell(exchange, request_id, ms, note)

    def cancel_all(self) -> None:
        """Stop all answers; each ends with the text so far."""
        for running in list(self.running):
            running.cancel()

    async def _serve(self, exchange: Exchange, request_id: str, note: dict[str, Any]) -> None:
        self._check_host(exchange)
        methods = ROUTES.get(exchange.path)
        if methods is None:
            known = ", ".join(ROUTES)
            raise Problem(404, f"there is nothing at this path; there is {known}.")
        method = "GET" if exchange.method == "HEAD" else exchange.method
        route = methods.get(method)
        if route is None:
            allowed = ", ".join(methods)
            raise Problem(405, f"this path takes {allowed}.", headers={"allow": allowed})
        user = ""
        if route.guarded:
            user = self._check_user(exchange)
        note["user"] = user
        await route.run(self, exchange, Visit(user, request_id, note))

    def _check_host(self, exchange: Exchange) -> None:
        hosts = self.settings.hosts
        host = exchange.headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if hosts is not None and name.strip("[]").lower() not in hosts:
            raise Problem(421, f"this server is not {host!r}; it is {', '.join(sorted(hosts))}.")
        origin = exchange.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Problem(403, f"pages of {origin} may not use this server.")

    def _check_user(self, exchange: Exchange) -> str:
        settings = self.settings
        authorization = exchange.headers.get("authorization", "")
        user = exchange.client
        if settings.need_key:
            owner = settings.keys.owner(authorization)
            if owner is None:
                raise Problem(
                    401,
                    "the API key is missing or not one of this server's; send the header "
                    "'Authorization: Bearer KEY'.",
                    code="invalid_api_key",
                    headers={"www-authenticate": "Bearer"},
                )
            user = owner
        if self.draining:
            raise Problem(503, "the server is stopping.", code="stopping", retry_after=5)
        if wait := self._rate.take(user):
            raise Problem(
                429,
                f"{settings.rate:g} requests a minute are allowed; try again in {wait:.1f} s.",
                code="rate_limit_exceeded",
                kind="rate_limit_error",
                retry_after=wait,
            )
        return user

    async def _fail(self, exchange: Exchange, error: Exception, note: dict[str, Any]) -> None:
        problem = problem_of(error)
        note["error"] = type(error).__name__ if not isinstance(error, Problem) else problem.code
        if problem.status == 500:
            # The traceback has no text of a request: messages name values of options at most.
            log.error("a request failed", exc_info=error)
        if exchange.status:
            # The status is out; a stream can still say what happened.
            await exchange.event(problem.body)
            await exchange.write(b"", last=True)
            return
        await exchange.json(problem.status, problem.body, problem.headers)


@dataclass(frozen=True)
class Visit:
    """Who asks, and what will be told of it in the log."""

    user: str
    request_id: str
    note: dict[str, Any]


Handler = Callable[[Any, Exchange, Visit], Awaitable[None]]


@dataclass(frozen=True)
class Route:
    """What answers a method of a path; `guarded`: only for those who may."""

    run: Handler
    guarded: bool = True


ROUTES: dict[str, dict[str, Route]] = {
    "/": {"GET": Route(others.chat_page, guarded=False)},
    "/v1/chat/completions": {"POST": Route(completions.chat)},
    "/v1/completions": {"POST": Route(completions.complete)},
    "/v1/embeddings": {"POST": Route(others.embed)},
    "/v1/models": {"GET": Route(others.models)},
    "/v1/feedback": {"POST": Route(others.feedback)},
    "/metrics": {"GET": Route(others.metrics)},
    "/openapi.json": {"GET": Route(others.openapi, guarded=False)},
    "/v1/stats": {"GET": Route(others.stats)},
    "/health": {"GET": Route(others.health, guarded=False)},
    "/ready": {"GET": Route(others.ready, guarded=False)},
}


def _metrics(service: Service) -> Metrics | None:
    try:
        return Metrics(service.core)
    except EdgewardError:
        return None


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _tell(exchange: Exchange, request_id: str, ms: float, note: dict[str, Any]) -> None:
    """One line of JSON: no text, no prompt, no key."""
    known = exchange.path if exchange.path in ROUTES else "other"
    line: dict[str, Any] = {"id": request_id, "method": exchange.method[:8], "path": known}
    line |= {"status": exchange.status, "ms": round(ms, 1), **note}
    log.info("%s", msgspec.json.encode(line).decode())
