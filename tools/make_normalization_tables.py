"""Freezes the reference's normalization into kernels/tokenizer/normalization_tables.inc.

Knows: how to find decompositions, combining classes, compositions and lower case by asking the
`tokenizers` package about every code point. Does not know: the tables of the standard; the
package's are older (about Unicode 9) and only they give the same ids.

    python tools/make_normalization_tables.py            # rewrites the .inc
    python tools/make_normalization_tables.py --check    # fails if it would change
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import tokenizers
from tokenizers import normalizers

OUT = Path(__file__).resolve().parent.parent / "kernels/tokenizer/normalization_tables.inc"
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)  # composed and decomposed by arithmetic

NFC = normalizers.NFC().normalize_str
NFD = normalizers.NFD().normalize_str
NFKD = normalizers.NFKD().normalize_str
LOWER = normalizers.Lowercase().normalize_str


def changes(normalize) -> dict[int, str]:
    found = {}
    for c in CODES:
        new = normalize(chr(c))
        if new != chr(c) and c not in HANGUL:
            found[c] = new
    return found


def combining_classes() -> dict[int, int]:
    """Class of each character that is not a starter.

    A mark stands after another in canonical order exactly if its class is not smaller. The classes
    of well-known marks give a ruler; Python's tables only supply its marks.
    """

    def before(x: str, y: str) -> bool:
        """True if y x, in this order, is exchanged: x has a smaller class, and neither is 0."""
        return NFD(f"q{y}{x}") == f"q{x}{y}" != f"q{y}{x}"

    low, high = "\u0334", "\u0345"  # classes 1 and 240
    marks = [chr(c) for c in CODES if unicodedata.combining(chr(c))]
    ruler: dict[int, str] = {}
    for x in marks:
        if NFD(x) == x and (before(x, high) or before(low, x)):
            ruler.setdefault(unicodedata.combining(x), x)
    classes = {}
    for c in CODES:
        x = chr(c)
        if NFD(x) != x or not (before(x, high) or before(low, x)):
            continue
        equal = [k for k, y in ruler.items() if not before(x, y) and not before(y, x)]
        assert len(equal) == 1, f"U+{c:04X} has no class of its own: {equal}"
        classes[c] = equal[0]
    return classes


def compositions(canonical: dict[int, str]) -> dict[tuple[int, int], int]:
    """Pairs that compose: all but the last character of a decomposition, composed, and the last."""
    pairs = {}
    for c, parts in canonical.items():
        if len(parts) < 2:
            continue
        head = NFC(parts[:-1])
        if len(head) == 1 and NFC(head + parts[-1]) == chr(c):
            pairs[ord(head), ord(parts[-1])] = c
    return pairs


def rows(items: Iterable[str]) -> Iterator[str]:
    row = ""
    for item in items:
        if len(row) + len(item) > 99:
            yield row
            row = ""
        row += item
    yield row


def table(name: str, kind: str, items: list[str]) -> list[str]:
    return [f"constexpr {kind} {name}[] = {{", *rows(items), "};"]


def mapping(name: str, entries: dict[int, str]) -> list[str]:
    """Each entry: the code point, how many it becomes, and those."""
    items = []
    for c, text in entries.items():
        items.append(f"0x{c:X},{len(text)}," + "".join(f"0x{ord(x):X}," for x in text))
    return table(name, "uint32_t", items)


def main() -> int:
    canonical = changes(NFD)
    compatible = {c: text for c, text in changes(NFKD).items() if canonical.get(c) != text}
    classes = combining_classes()
    runs = [(k, len(list(g))) for k, g in groupby(classes.get(c, 0) for c in range(0x110000))]
    pairs = compositions(canonical)
    lines = [
        f"// Made by tools/make_normalization_tables.py from tokenizers {tokenizers.__version__}; "
        "do not edit.",
        "// Combining classes: {class, how many code points}, from U+0000 on.",
        *table("kClassRuns", "ClassRun", [f"{{{k},{n}}}," for k, n in runs]),
        "// Full decompositions: code point, length, parts. The second only where it differs.",
        *mapping("kCanonical", canonical),
        *mapping("kCompatible", compatible),
        "// {first, second, composed}",
        *table("kPairs", "Pair", [f"{{0x{a:X},0x{b:X},0x{c:X}}}," for (a, b), c in pairs.items()]),
        "// Lower case, as the decompositions.",
        *mapping("kLower", changes(LOWER)),
    ]
    text = "\n".join(lines) + "\n"
    if "--check" in sys.argv:
        return int(OUT.read_text() != text)
    OUT.write_text(text)
    print(f"{OUT.name}: {len(canonical)} {len(compatible)} {len(pairs)}, {len(text)} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
