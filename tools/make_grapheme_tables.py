"""Freezes the reference's grapheme clusters and scripts into kernels/tokenizer/*_tables.inc.

Knows: how to make the `tokenizers` package say where it sees cluster and script boundaries, which
are those of the Unicode version it was built with. Does not know Unicode: each class of UAX #29 is
found by the boundaries a character makes beside known ones.

The normalizer Precompiled replaces a whole cluster below six bytes by what its first character maps
to. With a charsmap that maps every character to "X", the number of X tells the clusters of a short
text apart.

    python tools/make_grapheme_tables.py            # rewrites the .inc files
    python tools/make_grapheme_tables.py --check    # fails if they would change
"""

from __future__ import annotations

import base64
import json
import struct
import sys
from itertools import groupby
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, pre_tokenizers

OUT = Path(__file__).resolve().parent.parent / "kernels/tokenizer"
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
BREAK = "\u2028"  # a control character: a cluster of its own, and here mapped to nothing

# Known members of the classes, the names of the rules in UAX #29.
ACUTE, JOINER, COPYRIGHT = "\u0301", "\u200d", "\u00a9"  # Extend, ZWJ, Extended_Pictographic
LEAD, VOWEL, TAIL = "\u1100", "\u1161", "\u11a8"  # Hangul L, V, T
KA, VIRAMA = "\u0915", "\u094d"  # InCB=Consonant, InCB=Linker
PREPEND = "\u0600"

# In the order of the C++ enum.
CLASSES = [
    "Other",
    "Control",
    "CR",
    "LF",
    "Extend",
    "ZWJ",
    "SpacingMark",
    "Prepend",
    "L",
    "V",
    "T",
    "LV",
    "LVT",
]
PICTOGRAPHIC, CONSONANT, LINKER, CONJUNCT_EXTEND = (1 << bit for bit in range(4, 8))


def charsmap() -> str:
    """Maps each character but BREAK to "X": a double array with one block of units a state."""
    blocks: list[dict[int, tuple[int, bool]]] = []  # per state: byte -> (next state, accepts)

    def state(edges: dict[int, tuple[int, bool]]) -> int:
        blocks.append(edges)
        return len(blocks) - 1

    end = state({})
    tails = [0x80 + i for i in range(64)]
    one = state(dict.fromkeys(tails, (end, True)))
    two = state(dict.fromkeys(tails, (one, False)))
    three = state(dict.fromkeys(tails, (two, False)))
    broken = BREAK.encode()
    not_last = state({b: (end, True) for b in tails if b != broken[2]})
    not_second = state({b: (not_last if b == broken[1] else one, False) for b in tails})
    root = dict.fromkeys(range(1, 128), (end, True))
    root |= dict.fromkeys(range(194, 224), (one, False))
    root |= {b: (not_second if b == broken[0] else two, False) for b in range(0xE0, 0xF0)}
    root |= dict.fromkeys(range(240, 245), (three, False))
    start = state(root)
    units = [0] * (256 * len(blocks) + 256)
    for number, edges in enumerate(blocks):
        for byte, (target, accepts) in edges.items():
            at = (number + 1) * 256 ^ byte
            units[at] = ((at ^ (target + 1) * 256) << 10) | (accepts << 8) | byte
    units[0] = (start + 1) * 256 << 10  # block 0 holds the root alone
    blob = struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + b"X\0"
    return base64.b64encode(blob).decode()


def reference() -> Tokenizer:
    file = {
        "version": "1.0",
        "normalizer": {"type": "Precompiled", "precompiled_charsmap": charsmap()},
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"},
        "added_tokens": [],
    }
    return Tokenizer.from_str(json.dumps(file))


NORMALIZER = reference().normalizer


def counts(texts: list[str]) -> list[int]:
    """Number of X that each text becomes."""
    pieces = NORMALIZER.normalize_str(BREAK.join(texts)).split(BREAK)
    assert len(pieces) == len(texts)
    return [piece.count("X") for piece in pieces]


def asked(before: str, after: str, joined: int, codes: list[int]) -> set[int]:
    """Characters that make `joined` clusters' worth of X between `before` and `after`."""
    found = counts([before + chr(c) + after for c in codes])
    return {c for c, n in zip(codes, found, strict=True) if n == joined}


def grapheme_values() -> list[int]:
    codes = [c for c in CODES if c not in (0, ord(BREAK))]
    short = [c for c in codes if c < 0x10000]
    tall = [c for c in codes if c >= 0x10000]
    marks = asked("a", "", 1, codes)
    # Nothing joins a control character, so accents behind it make a cluster of their own.
    controls = asked("", ACUTE, 2, short) | asked("", ACUTE + ACUTE, 2, tall) | {0, ord(BREAK)}
    prepends = asked("", "a", 1, codes)
    free = [c for c in codes if c not in marks | controls | prepends]
    after = {x: asked(PREPEND + x, "", 3, free) for x in (LEAD, VOWEL, TAIL)}
    before = {x: asked("", x + ACUTE, 3, free) for x in (LEAD, VOWEL, TAIL)}
    syllables = before[VOWEL] - before[LEAD] - after[VOWEL]
    hangul = {
        "L": before[LEAD],
        "V": after[VOWEL] & before[VOWEL],
        "T": after[TAIL],
        "LV": syllables,
        "LVT": before[TAIL] - before[VOWEL] - after[TAIL],
    }
    assert after[LEAD] == hangul["L"] | hangul["V"] | hangul["LV"] | hangul["LVT"]
    around = COPYRIGHT, JOINER + COPYRIGHT + ACUTE
    extends = asked(*around, 5, sorted(marks)) - {ord(JOINER)}
    value = dict.fromkeys(range(0x110000), 0)
    named = hangul | {
        "Control": controls - {0x0D, 0x0A},
        "CR": {0x0D},
        "LF": {0x0A},
        "Extend": extends,
        "ZWJ": {ord(JOINER)},
        "SpacingMark": marks - extends - {ord(JOINER)},
        "Prepend": prepends,
    }
    for name, members in named.items():
        for c in members:
            assert value[c] == 0, f"U+{c:04X} is in two classes"
            value[c] = CLASSES.index(name)
    pictographic = asked("", JOINER + COPYRIGHT + ACUTE, 4, codes)
    assert pictographic == asked(COPYRIGHT + JOINER, ACUTE, 4, codes) - marks
    linkers = asked(KA, KA + ACUTE, 4, sorted(marks))
    for bit, members in (
        (PICTOGRAPHIC, pictographic),
        (CONSONANT, asked("", VIRAMA + KA + ACUTE, 4, codes) - marks - prepends),
        (LINKER, linkers),
        (CONJUNCT_EXTEND, asked(KA + VIRAMA, KA + ACUTE, 5, sorted(marks)) - linkers),
    ):
        for c in members:
            value[c] |= bit
    return [value[c] for c in range(0x110000)]


def script_values() -> list[int]:
    """1 for characters that go with any other, then one number for each script as it comes."""
    splitter = pre_tokenizers.UnicodeScripts()

    def together(text: str) -> bool:
        return len(splitter.pre_tokenize_str(text)) == 1

    value = dict.fromkeys(range(0x110000), 0)
    known: list[str] = []  # one member of each script
    last = ""
    for c in CODES:
        char = chr(c)
        if not splitter.pre_tokenize_str(char):  # alone, a character of no script is dropped
            value[c] = 1
            continue
        if not last or not together(last + char):
            match = [n for n, member in enumerate(known) if together(member + char)]
            assert len(match) <= 1, f"U+{c:04X} is in two scripts"
            if not match:
                known.append(char)
            script = match[0] if match else len(known) - 1
        value[c], last = script + 2, char
    return [value[c] for c in range(0x110000)]


def table(values: list[int]) -> str:
    runs = [(bits, len(list(group))) for bits, group in groupby(values)]
    lines = [
        f"// Made by tools/make_grapheme_tables.py from tokenizers {tokenizers.__version__};"
        " do not edit.",
        "// {value, how many code points}, from U+0000 on.",
    ]
    line = ""
    for bits, count in runs:
        entry = f"{{{bits},{count}}},"
        if len(line) + len(entry) > 98:
            lines.append(line)
            line = ""
        line += entry
    return "\n".join([*lines, line]) + "\n"


def main() -> int:
    stale = 0
    for name, make in (("grapheme", grapheme_values), ("script", script_values)):
        out = OUT / f"{name}_tables.inc"
        text = table(make())
        if "--check" not in sys.argv:
            out.write_text(text, encoding="utf-8")
            print(out, len(text), "bytes")
        elif out.read_text(encoding="utf-8") != text:
            print(f"{out} is not what tokenizers {tokenizers.__version__} says", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
