"""What this device knows of a channel: its key, pinned; its identity; the newest index it believed.

An index is believed when the pinned key signed it, it is this channel's, not older than the last
one believed, the same if it has the same number, and not expired. What was believed is on the disk
before anything is done about it, so that no crash makes an old index new again.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Literal

import msgspec

from edgeward.errors import ChannelError, OptionError
from edgeward.manifest import Count, Part, Sha256

from . import keys, sealed
from .files import write_whole
from .transport import Source
from .words import INDEX, MAX_INDEX, Index

# A clock may be wrong by this much before an index "from the future" is refused.
_CLOCK = 24 * 3600


class Known(Part, frozen=True):
    """`seen` is the latest time that this device has reason to believe in, seconds since 1970."""

    format: Literal[1]
    where: str
    key: str
    channel: str
    version: Count
    index: Sha256
    seen: Count


class Channel:
    """One channel, remembered in a file of `folder`."""

    def __init__(self, folder: Path, where: str, known: Known | None) -> None:
        self.where = where
        self.known = known
        self._path = _file(folder, where)

    @property
    def name(self) -> str:
        """Its short name in other files of this device."""
        return self._path.stem

    def refresh(self, source: Source, key: Path | None) -> Index:
        """Fetch the index, believe it or raise, and remember it.

        `key` is needed the first time and pinned; later it must be the pinned one. Raises
        `Unreachable` offline, `ChannelError` for an index that must not be believed.
        """
        pem = self._pinned(key)
        raw = source.read(INDEX, MAX_INDEX)
        index = sealed.unseal(raw, keys.public_key(pem, self.where), f"{source.where}/{INDEX}")
        digest = hashlib.sha256(msgspec.json.encode(index)).hexdigest()
        now = max(int(time.time()), self.known.seen if self.known else 0)
        self._believe(index, digest, now)
        known = Known(
            format=1,
            where=self.where,
            key=pem.decode(),
            channel=index.channel,
            version=index.version,
            index=digest,
            seen=now,
        )
        if self.known is None or msgspec.structs.replace(self.known, seen=now) != known:
            write_whole(self._path, msgspec.json.format(msgspec.json.encode(known), indent=1))
        self.known = known
        return index

    def _pinned(self, key: Path | None) -> bytes:
        if self.known is None:
            if key is None:
                raise OptionError(
                    f"the channel {self.where} is new here: give its public key with --key, as you "
                    f"got it from its publisher. It is remembered."
                )
            return keys.read_public(key)
        pinned = self.known.key.encode()
        if key is not None and keys.read_public(key) != pinned:
            raise ChannelError(
                f"{key} is not the key that was pinned for {self.where} when it was added. If its "
                f"publisher really changed keys, delete {self._path} and add it again."
            )
        return pinned

    def _believe(self, index: Index, digest: str, now: int) -> None:
        known = self.known
        if known is not None:
            if index.channel != known.channel:
                raise ChannelError(
                    f"{self.where} shows the index of another channel ({index.channel}, expected "
                    f"{known.channel}), signed by the same key. Nothing was changed."
                )
            if index.version < known.version:
                raise ChannelError(
                    f"{self.where} shows index {index.version}, older than {known.version}, which "
                    f"this device has seen: an old one is being replayed. Nothing was changed."
                )
            if index.version == known.version and digest != known.index:
                raise ChannelError(
                    f"{self.where} shows another index {index.version} than before. Its publisher "
                    f"must publish again. Nothing was changed."
                )
        if index.expires <= now:
            raise ChannelError(
                f"index {index.version} of {self.where} expired on {_day(index.expires)}, and this "
                f"device says it is {_day(now)}: it may be an old one, replayed, or the clock is "
                f"wrong. Its publisher renews it by publishing again. Nothing was changed."
            )
        if index.made > now + _CLOCK:
            raise ChannelError(
                f"index {index.version} of {self.where} is of {_day(index.made)}, and this device "
                f"says it is {_day(now)}: set its clock. Nothing was changed."
            )


def find(folder: Path, where: str) -> Channel:
    """The channel at `where`, remembered or new. Raises `ChannelError` for a damaged record."""
    return Channel(folder, where, _read(_file(folder, where)))


def remembered(folder: Path) -> list[Channel]:
    """All channels that were added here."""
    every = [_read(path) for path in sorted((folder / "channels").glob("*.json"))]
    return [Channel(folder, known.where, known) for known in every if known is not None]


def _file(folder: Path, where: str) -> Path:
    return folder / "channels" / (hashlib.sha256(where.encode()).hexdigest()[:16] + ".json")


def _read(path: Path) -> Known | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Known)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChannelError(
            f"{path} is damaged ({error}): what this device knew of a channel is lost. Delete it "
            f"and add the channel again with --channel and --key."
        ) from None


def _day(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"
