"""Which part of a staged rollout this device is in. Knows a random number of its own; tells nobody.

The number is drawn once and stays on the device: a channel sees requests, never who asks. A
release's share is decided here, so raising it from 10 % to 50 % keeps the first 10 % and adds
others, and the next release begins with other devices.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path

from .files import write_whole
from .words import WHOLE, Release

_FORM = re.compile(r"[0-9a-f]{32}")


def device_id(folder: Path) -> str:
    """This device's number, drawn at the first call. One that is damaged is drawn anew."""
    path = folder / "device-id"
    try:
        found = path.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        found = ""
    if _FORM.fullmatch(found):
        return found
    made = secrets.token_hex(16)
    write_whole(path, made.encode())
    return made


def share_of(device: str, name: str, release: Release) -> int:
    """Where `device` stands for a release of `name`: 0 to 9,999, evenly spread over devices."""
    told = f"edgeward rollout\n{device}\n{name}\n{release.pack}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big") * WHOLE >> 64


def choose(device: str, name: str, releases: list[Release]) -> Release | None:
    """The newest release of `name` that is for this device; None while none is."""
    return next((r for r in releases if share_of(device, name, r) < r.rollout), None)
