"""Ways in which a text is written so that a person reads it and a filter does not.

Knows: strings; each change is the same every time. Does not know: filters.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from random import Random

_LOOK_ALIKE = str.maketrans("aceiopsxy", "асеіорѕху")
_LEET = str.maketrans("aeiost", "431057")


def _random(text: str) -> Random:
    return Random(zlib.crc32(text.encode("utf-8", "replace")))


def typos(text: str) -> str:
    """Two letters change places in a third of the words of four letters and more."""
    rng = _random(text)
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and rng.random() < 1 / 3:
            at = rng.randrange(1, len(word) - 2) if len(word) > 3 else 1
            words[i] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def random_case(text: str) -> str:
    """Each letter large or small by chance."""
    rng = _random(text)
    return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text)


def full_width(text: str) -> str:
    """Visible ASCII in its full-width forms."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


OBFUSCATIONS: dict[str, Callable[[str], str]] = {
    "zero width": "\u200b".join,
    "look-alike letters": lambda text: text.translate(_LOOK_ALIKE),
    "leetspeak": lambda text: text.lower().translate(_LEET),
    "full width": full_width,
    "random case": random_case,
    "spaced letters": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "typos": typos,
    "base64": lambda text: base64.b64encode(text.encode("utf-8", "replace")).decode("ascii"),
}
"""Name -> change."""
