"""One HTTP exchange over ASGI: the request's parts read under limits, the response's written.

Knows: ASGI messages, headers, bytes. Does not know: paths, models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from .problems import Problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]

WRITE_SECONDS = 30.0
"""Within which a client must have taken what waits for it, or it counts as gone."""

# Nothing of an answer may be guessed from its type, framed by a page, or kept by a cache.
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Exchange:
    """A request and the response to it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        client = scope.get("client")
        self.client: str = client[0] if client else ""
        self.status = 0
        """Of the response; 0 until it has begun."""
        self._receive = receive
        self._send = send
        self._left = False

    async def body(self, most: int, seconds: float) -> bytes:
        """The whole body, of at most `most` bytes and within `seconds`. Raises `Problem`."""
        stated = self.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(seconds):
                return await self._read(most)
        except TimeoutError:
            raise Problem(
                408, f"the body did not come within {seconds:g} s; send it faster.", close=True
            ) from None

    async def _read(self, most: int) -> bytes:
        parts, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise _too_large(most)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def gone(self) -> None:
        """Return when the client has left; call it after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True

    async def begin(
        self, status: int, kind: str, headers: dict[str, str], length: int | None = None
    ) -> None:
        """Send status and headers; the body follows with `write` (at once when `length` is 0)."""
        self.status = status
        all_headers = {"content-type": kind, **_ALWAYS, **headers}
        if length is not None:
            all_headers["content-length"] = str(length)
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in all_headers.items()
                ],
            }
        )

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of the body. Raises `Gone` when the client does not take it.

        Once the client is known to have left, nothing more goes to its socket: what ends its
        request still runs to its end.
        """
        if self._left:
            return
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._send(
                    {"type": "http.response.body", "body": data, "more_body": not last}
                )
        except TimeoutError:
            raise Gone from None

    async def reply(
        self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        """Send a whole response."""
        await self.begin(status, kind, headers or {}, len(content))
        await self.write(b"" if self.method == "HEAD" else content, last=True)

    async def json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        """Send a whole response of JSON."""
        content = msgspec.json.encode(value)
        await self.reply(status, content, "application/json", headers)

    async def event(self, value: object) -> None:
        """Send one server-sent event of JSON."""
        await self.write(b"data: " + msgspec.json.encode(value) + b"\n\n")


class Gone(Exception):
    """The client has left: there is nobody to answer."""


def _too_large(most: int) -> Problem:
    return Problem(
        413, f"the body has more than {most} bytes, which is all this server takes.", close=True
    )
