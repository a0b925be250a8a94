"""The slow, obvious twin of the normalizer of safety checks (kernels/safety/normalize.h).

Knows: the definition, on whole lists of characters. Does not know: streams, memory. Unicode comes
from Python's `unicodedata`, whose version differs from the frozen tables: compare the two on
characters that both know. `confusables` is the table of tools/make_confusables.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

Unit = tuple[str, int]
"""A character and the index of the original one."""
Confusables = Mapping[int, tuple[str, str]]

LEET = {"0": "o", "1": "i", "!": "i", "3": "e", "4": "a", "@": "a", "5": "s", "$": "s"}
LEET |= {"7": "t", "8": "b"}
SEPARATORS = " .-_*/|,~·"
WORD_LIMIT, SPACED_LETTERS, SPACED_NEXT, CLUSTER_LIMIT = 256, 4, 2, 32
TELLING_WORD = 4
_DECORATION = [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)]
_DECORATION += [(0xFE20, 0xFE2F)]
_NOTHING = [(0xFE00, 0xFE0F), (0xE0000, 0xE0FFF), (0x34F, 0x34F), (0x115F, 0x1160)]
_NOTHING += [(0x3164, 0x3164), (0xFFA0, 0xFFA0), (0x180B, 0x180F), (0x17B4, 0x17B5)]
_SPECIAL = {"ß": "ss", "æ": "ae", "œ": "oe", "ς": "σ"}
_BREAKS = "\n\x0b\x0c\r\x85\u2028\u2029"


class Before(NamedTuple):
    """What the words so far tell about the next one."""

    script: str = ""
    leet: bool = False


def normalize(text: str, confusables: Confusables) -> tuple[str, list[int]]:
    """Normalized text, and for each character and the end the index of the original character."""
    units = _collapsed(_joined(_words(_folded(text, confusables), confusables), confusables))
    return "".join(c for c, _ in units), [*(at for _, at in units), len(text)]


def _within(char: str, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def _joins(char: str) -> bool:
    """Belongs to the character before it: a mark with a class, or the second of a pair."""
    vowel_or_final = 0x1161 <= ord(char) < 0x1176 or 0x11A8 <= ord(char) < 0x11C3
    return unicodedata.combining(char) != 0 or vowel_or_final or char in _SECONDS


def _second_of_pairs() -> set[str]:
    """Characters without a class that compose with the one before (Indic vowel signs)."""
    found = set()
    for code in range(0x110000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            pair = "".join(chr(int(part, 16)) for part in parts)
            if unicodedata.normalize("NFC", pair) == chr(code):
                found.add(pair[1])
    return found


_SECONDS = _second_of_pairs()


def _folded(text: str, confusables: Confusables) -> list[Unit]:
    clusters: list[list[Unit]] = []
    open_ = False
    for at, char in enumerate(text):
        space = char in " \t" or char in _BREAKS or unicodedata.category(char) in ("Zs", "Zl", "Zp")
        if space:
            clusters.append([("\n" if char in _BREAKS else " ", at)])
            open_ = False
        elif unicodedata.category(char) in ("Cc", "Cf") or _within(char, _NOTHING):
            continue
        elif open_ and _joins(char):
            if len(clusters[-1]) < CLUSTER_LIMIT:
                clusters[-1].append((char, at))
        else:
            clusters.append([(char, at)])
            open_ = not char.isascii()
    units = []
    for cluster in clusters:
        for char in unicodedata.normalize("NFKC", "".join(char for char, _ in cluster)):
            units += [(c, cluster[0][1]) for c in _fold(char, confusables)]
    return units


def _fold(char: str, confusables: Confusables) -> str:
    lower = "".join(c for c in char.lower() if not _within(c, _DECORATION))
    if not lower or lower.isascii():
        return lower
    base = unicodedata.normalize("NFD", lower)[0]
    if base.isascii() and base.isalpha():
        return base
    letter, kind = confusables.get(ord(lower), ("", ""))
    return letter if kind == "Latin" else _SPECIAL.get(lower, lower)


def _in_word(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in LEET
    return unicodedata.category(char)[0] in "LM"


def _words(units: list[Unit], confusables: Confusables) -> list[list[Unit]]:
    """Words, rewritten, and delimiters, one by one."""
    items: list[list[Unit]] = []
    before = Before()
    for is_word, group in groupby(units, key=lambda unit: _in_word(unit[0])):
        listed = list(group)
        width = WORD_LIMIT if is_word else 1
        for start in range(0, len(listed), width):
            item = listed[start : start + width]
            if is_word:
                item, before = _rewritten(item, before, confusables)
            items.append(item)
    return items


def _rewritten(
    word: list[Unit], before: Before, confusables: Confusables
) -> tuple[list[Unit], Before]:
    text = "".join(char for char, _ in word)
    kinds = [confusables.get(ord(c), ("", "other"))[1] for c in text if not c.isascii()]
    latin = any("a" <= c <= "z" for c in text)
    same, like, other = "Same" in kinds, "Like" in kinds, "other" in kinds
    mixed = latin and (same or like) and not other
    disguised = same and not (latin or like or other) and before.script == "latin"
    if mixed or disguised:
        text = "".join(c if c.isascii() else confusables[ord(c)][0] for c in text)
    script = "other" if other else "latin" if latin else "other" if like else before.script
    leet = before.leet
    if not other and (latin or disguised):
        text, read = _read_leet(text, before.leet)
        leet = read if read or len(word) >= TELLING_WORD else leet
    before = Before(script, leet)
    return [(char, at) for char, (_, at) in zip(text, word, strict=True)], before


def _read_leet(word: str, likely: bool) -> tuple[str, bool]:
    signs = re.escape("".join(LEET))
    letters = sum("a" <= c <= "z" for c in word)
    leet = sum(c in LEET for c in word)
    inside = re.search(f"[a-z][{signs}]+[a-z]", word)
    first = re.match("[0134578][a-z]{4}", word)
    written = letters * 2 >= leet and (inside or first)
    if leet == 0 or letters == 0 or not (written or likely):
        return word, False
    body = word.rstrip("!")
    plain = "".join(LEET.get(c, c) for c in body.replace("11", "ll"))
    return plain + word[len(body) :], True


def _joined(items: list[list[Unit]], confusables: Confusables) -> list[Unit]:
    """Items in a row, runs of spaced-out letters as one word."""
    out: list[Unit] = []
    at, least = 0, SPACED_LETTERS
    while at < len(items):
        letters = _run(items, at)
        if not letters and _in_word(items[at][0][0]):
            least = SPACED_LETTERS
        if len(letters) >= least:
            word, _ = _rewritten(letters, Before(), confusables)
            out += word
            least = SPACED_NEXT
            at += 2 * len(letters) - 1
        else:
            out += items[at]
            at += 1
            # A letter that follows the first of a short run may not begin a longer one: the run
            # ended for another reason than its beginning.
            for _ in range(2 * len(letters) - 2):
                out += items[at]
                at += 1
            if letters and at < len(items) and _separates(items[at]):
                out += items[at]
                at += 1
    return out


def _separates(item: list[Unit]) -> bool:
    return len(item) == 1 and item[0][0] in SEPARATORS


def _run(items: list[list[Unit]], at: int) -> list[Unit]:
    """The single letters from `at` on with the same separator between them."""
    letters: list[Unit] = []
    separator = ""
    while at < len(items) and _single_letter(items[at]) and len(letters) < WORD_LIMIT:
        letters += items[at]
        if at + 2 >= len(items) or not _separates(items[at + 1]):
            break
        if separator and items[at + 1][0][0] != separator:
            break
        separator = items[at + 1][0][0]
        at += 2
    return letters


def _single_letter(item: list[Unit]) -> bool:
    char = item[0][0]
    spelt = "a" <= char <= "z" or (0x370 <= ord(char) < 0x590 and _in_word(char))
    return len(item) == 1 and spelt


def _collapsed(units: list[Unit]) -> list[Unit]:
    out: list[Unit] = []
    for char, group in groupby(units, key=lambda u: " " if u[0] in " \n" else u[0]):
        run = list(group)
        if char == " ":
            out.append(("\n" if any(c == "\n" for c, _ in run) else " ", run[0][1]))
        else:
            out += run if char in "0123456789" else run[:2]
    return out
