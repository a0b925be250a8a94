"""Bytes of a channel, from a folder or over HTTP(S). Trusts none of them; knows no index.

HTTP by the standard library's `http.client`, not `urllib.request`: a model is hundreds of small
files, and only the former keeps a connection open between them. Redirects stay on HTTP, never lead
from https to http, and are few; answers are bounded in size and in time.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import edgeward
from edgeward.errors import ChannelError, OptionError

_REDIRECTS = 5
_SILENCE = 20.0  # seconds without a byte
_WHOLE = 120.0  # seconds for one file of at most a megabyte
_PLAIN = re.compile(r"[\x21-\x7e]{1,2000}")


class Unreachable(ChannelError):
    """The channel did not answer, or broke off: worth another try."""


class Source(Protocol):
    """Where a channel lies."""

    where: str

    def read(self, path: str, limit: int) -> bytes:
        """The file `path` of the channel, of at most `limit` bytes.

        Raises `Unreachable` when it may come later, `ChannelError` when it will not.
        """

    def close(self) -> None:
        """Close what is open; it opens again by itself."""


def source(channel: str) -> Source:
    """For an http(s) address, or a folder. Raises `OptionError` for anything else."""
    if re.match(r"https?://", channel, re.IGNORECASE):
        return Web(channel)
    if "://" in channel:
        raise OptionError(
            f"channel={channel!r}; give an address with http:// or https://, or a folder."
        )
    return Folder(Path(channel))


class Folder:
    """A channel in a folder: a disk, a stick, a share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()
        self.where = str(self._folder)

    def read(self, path: str, limit: int) -> bytes:
        try:
            with (self._folder / path).open("rb") as file:
                content = file.read(limit + 1)
        except FileNotFoundError:
            if not self._folder.is_dir():
                raise Unreachable(f"there is no folder {self.where}.") from None
            raise ChannelError(f"the channel {self.where} has no {path}.") from None
        except OSError as error:
            raise Unreachable(f"{self._folder / path}: {error.strerror or error}.") from None
        return _bounded(content, limit, f"{self.where}/{path}")

    def close(self) -> None:
        """Nothing is kept open."""


class Web:
    """A channel behind an http(s) address. One connection, kept open; one thread at a time."""

    def __init__(self, address: str) -> None:
        self._base = _checked(address.rstrip("/") + "/")
        self.where = self._base.geturl().rstrip("/")
        self._connection: http.client.HTTPConnection | None = None
        self._origin = ""
        self._absolute = False  # a plain proxy is asked with whole addresses

    def read(self, path: str, limit: int) -> bytes:
        url = self._base._replace(path=self._base.path + path)
        for _ in range(_REDIRECTS + 1):
            found = self._ask(url, limit)
            if isinstance(found, bytes):
                return found
            url = _redirected(url, found)
        self.close()
        raise ChannelError(f"{self.where}/{path} leads on more than {_REDIRECTS} times.")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self, url: SplitResult, limit: int) -> bytes | str:
        """The content, or where a redirect leads."""
        fresh = self._open(url)
        try:
            return self._exchange(url, limit)
        except (http.client.HTTPException, OSError, ValueError) as error:
            self.close()
            if not fresh and isinstance(error, http.client.RemoteDisconnected | BrokenPipeError):
                return self._ask(url, limit)  # a kept connection that the server had closed
            said = str(error) or type(error).__name__
            raise Unreachable(f"{url.geturl()} cannot be read: {said.rstrip('.')}.") from None
        except BaseException:
            self.close()
            raise

    def _exchange(self, url: SplitResult, limit: int) -> bytes | str:
        connection = self._connection
        assert connection is not None
        with _deadline(connection):
            target = url.path + (f"?{url.query}" if url.query else "")
            if self._absolute:
                target = url.geturl()
            connection.request("GET", target, headers=_HEADERS)
            answer = connection.getresponse()
            if answer.status in (301, 302, 303, 307, 308):
                self.close()
                return answer.getheader("Location") or ""
            if answer.status != 200:
                self.close()
                kind = Unreachable if answer.status >= 500 or answer.status == 429 else ChannelError
                raise kind(f"{url.geturl()} was answered with {answer.status} {answer.reason}.")
            if answer.length is not None and answer.length > limit:
                self.close()
                raise ChannelError(_too_long(url.geturl(), answer.length, limit))
            content = answer.read(limit + 1)
            if answer.length:
                raise http.client.IncompleteRead(content, answer.length)
        if len(content) > limit:
            self.close()
        return _bounded(content, limit, url.geturl())

    def _open(self, url: SplitResult) -> bool:
        """A connection to the host of `url`; whether it is a new one."""
        origin = f"{url.scheme}://{url.netloc}"
        if self._connection is not None and origin == self._origin:
            return False
        self.close()
        host, port = url.hostname or "", url.port
        secure = url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        proxy = None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)
        self._absolute = proxy is not None and not secure
        if proxy is None:
            self._connection = kind(host, port, timeout=_SILENCE)
        else:
            through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            self._connection = kind(through.hostname or "", through.port, timeout=_SILENCE)
            if secure:
                self._connection.set_tunnel(host, port)
        self._origin = origin
        return True


_HEADERS = {
    "User-Agent": f"edgeward/{edgeward.__version__}",
    "Accept": "*/*",
    # Compressed, an answer's size would say nothing about what it becomes.
    "Accept-Encoding": "identity",
}


@contextmanager
def _deadline(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Break the connection when an exchange takes too long: a byte a second is silence too."""

    def stop() -> None:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_WHOLE, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _redirected(url: SplitResult, location: str) -> SplitResult:
    found = urljoin(url.geturl(), location)
    if not _PLAIN.fullmatch(found) or urlsplit(found).scheme not in ("http", "https"):
        raise ChannelError(
            f"{url.geturl()} leads on to {location[:200]!r}; only http and https are followed."
        )
    if url.scheme == "https" and urlsplit(found).scheme == "http":
        raise ChannelError(f"{url.geturl()} leads on from https to http: {found[:200]}; refused.")
    return urlsplit(found)


def _checked(address: str) -> SplitResult:
    """The parts of a channel's address. Raises `OptionError`."""
    try:
        url = urlsplit(address)
        usable = bool(_PLAIN.fullmatch(address) and url.hostname and (url.port is None or url.port))
    except ValueError:
        usable = False
    if not usable or url.query or url.fragment or url.username is not None:
        raise OptionError(
            f"channel={address!r}; give scheme, host, port and path only, such as "
            f"https://models.example.com/stable."
        )
    return url._replace(scheme=url.scheme.lower())


def _bounded(content: bytes, limit: int, where: str) -> bytes:
    if len(content) > limit:
        raise ChannelError(_too_long(where, len(content), limit))
    return content


def _too_long(where: str, size: int, limit: int) -> str:
    return f"{where} has {size} bytes or more, at most {limit} were expected; not read further."
