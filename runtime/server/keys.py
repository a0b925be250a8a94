"""API keys: made here, shown once, kept as hashes.

A key is 32 random bytes, so one round of SHA-256 is enough: nobody can guess what was hashed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from edgeward import store
from edgeward.errors import OptionError


def keys_file() -> Path:
    """Where keys are kept when nothing else is said; it need not exist."""
    return store.home() / "keys.txt"


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def add(name: str, path: Path) -> str:
    """Make a key for `name`, append its hash to `path`, and return it. Raises `OptionError`."""
    store.check_name(name)
    if name in Keys.read(path).names:
        raise OptionError(f"{path} has a key {name!r} already; remove its line to replace it.")
    key = "ew-" + secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{name} {digest(key)}\n")
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror}.") from None
    return key


class Keys:
    """The keys that a server knows."""

    def __init__(self, named: dict[str, str]) -> None:
        self._named = named

    @property
    def names(self) -> list[str]:
        """Whose keys there are."""
        return list(self._named)

    @classmethod
    def read(cls, path: Path) -> Keys:
        """The keys in `path`, none when there is no such file. Raises `OptionError`."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return cls({})
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"{path} cannot be read: {error}.") from None
        named = {}
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or len(words[1]) != 64:
                raise OptionError(
                    f"{path}, line {number} is not a name and the sha256 of a key; "
                    f"`edgeward serve --new-key NAME` writes such lines."
                )
            named[words[0]] = words[1].lower()
        return cls(named)

    def owner(self, authorization: str) -> str | None:
        """Whose key is in an Authorization header; None when it is nobody's."""
        scheme, _, key = authorization.partition(" ")
        found = digest(key.strip())
        owner = None
        # All are compared, each in constant time: the time taken says nothing about a key.
        for name, kept in self._named.items():
            if hmac.compare_digest(found, kept):
                owner = name
        return owner if scheme.lower() == "bearer" else None
