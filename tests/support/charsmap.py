"""A Precompiled normalizer's charsmap from a few rules.

Knows: the layout of darts-clone's double array. Does not know: what normalizes.
"""

from __future__ import annotations

import base64
import struct


def charsmap(rules: dict[str, str]) -> str:
    """A double array with a block of its own for each prefix; slow to walk, simple to make."""
    prefixes = {b"": 1}
    blob = b""
    places: dict[bytes, int] = {}
    for source, target in rules.items():
        key = source.encode()
        for end in range(1, len(key) + 1):
            prefixes.setdefault(key[:end], len(prefixes) + 1)
        places[key] = len(blob)
        blob += target.encode() + b"\0"
    units = [0] * (256 * (len(prefixes) + 1))
    units[0] = 256 << 10
    for prefix, block in prefixes.items():
        if prefix in places:
            units[block * 256] = places[prefix] | 1 << 31
        if prefix:
            at = prefixes[prefix[:-1]] * 256 ^ prefix[-1]
            leaf = (prefix in places) << 8
            units[at] = (at ^ block * 256) << 10 | leaf | prefix[-1]
    packed = struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + blob
    return base64.b64encode(packed).decode()
