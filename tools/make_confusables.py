"""Writes kernels/safety/confusables.inc: characters that are read as a Latin letter.

Knows: which letters of other scripts are drawn like which Latin ones (a table by hand below, from
the shapes in the Unicode code charts), and which characters are by their very name a variant of a
Latin letter (found in Python's copy of the Unicode names). Does not know: when a text means the
Latin letter; kernels/safety/words.cpp decides that.

What NFKC or the removal of accents already turns into a Latin letter is left out.

    python tools/make_confusables.py            # rewrites the table
    python tools/make_confusables.py --check    # fails if it would change
"""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "kernels/safety/confusables.inc"

# Lower-case letters of other scripts with the very shape of a Latin letter, and after a bar those
# that only resemble one, or only as capitals. The first are enough to suspect a whole word.
LOOK_ALIKES = {
    "CYRILLIC": (
        "аa сc еe оo рp хx уy іi јj ѕs һh ԁd ԛq ԝw ӏl ѵv ү" + "y",
        "вb нh кk мm тt гr пn иn йn яr зz бb ґr єe ѐe ёe їi ў" + "y ќk цu щw шw ԍg әa ҽe ғf ѡw",
    ),
    "GREEK": (
        "οo νv ϲc ϳj ρp",
        "αa βb γy εe ηn ιi κk μu πn σo τt υu χx ωw ζz άa έe ήn ίi όo ύu ώw ϋu ϊi",
    ),
    "ARMENIAN": ("օo սu ոn ցg հh ձd զq", "ա" + "w եt տu էe"),
    "COPTIC": ("ⲟo ⲥc ⲣp", "ⲁa ⲃb ⲉe ⲏh ⲓi ⲕk ⲙm ⲛn ⲧt ⲭx ⲩy"),
    # These have a lower case of their own, or none: what is here is what lower casing leaves.
    "CHEROKEE": (
        "",
        "ꭰd ꭱr ꭲt ꭵi ꭺg ꭻj ꮃw ꮇm ꮋh ꮍy ꮓz ꮪs ꮮl ꮯc ꮲp ꮶk ꮩv ꮑa",
    ),
}

# Latin letters and signs that Unicode does not decompose; in any word they read as the plain one.
STROKED = "øo đd łl ħh ıi ŧt ƀb ɨi ʉu ɍr ɏy ɇe ɉj ƶz ƙk ƥp ɓb ɗd ɠg ƴy ƈc ȼc ⱥa ȿs ɀz"
SIMILAR = "ɑa ɡg ɩi ʋv ɯw ƒf ɛe ɔc ʀr ɾr ɫl ȷj ʟl ǝe əe ɐa ɥh ʞk ɹr ʇt ʌv ʍw ʎy ƨs ꜱs ƽs ꞓc ŋn"
SIMILAR += " ɲn"
NAMED = [
    r"LATIN LETTER SMALL CAPITAL ([A-Z])",
    r"LATIN SMALL LETTER ([A-Z]) WITH (?:STROKE|HOOK|TAIL|BAR|MIDDLE TILDE|PALATAL HOOK|"
    r"RETROFLEX HOOK|SWASH TAIL|OBLIQUE STROKE|DIAGONAL STROKE|CURL|CROSSED-TAIL|FISHHOOK|BELT)",
    r"(?:NEGATIVE (?:CIRCLED|SQUARED)|CROSSED NEGATIVE SQUARED) LATIN CAPITAL LETTER ([A-Z])",
    r"REGIONAL INDICATOR SYMBOL LETTER ([A-Z])",
]


def pairs(text: str) -> list[tuple[str, str]]:
    """'аa сc' as [(Cyrillic a, 'a'), ...]."""
    made = []
    for entry in text.split():
        if len(entry) != 2 or entry[0].isascii() or not entry[1].isascii():
            raise SystemExit(f"{entry!r} is not one character and the Latin letter it looks like")
        made.append((entry[0], entry[1]))
    return made


def table() -> dict[int, tuple[str, str]]:
    """Code point -> (Latin letter, kind): "Latin" in any word, "Same" or "Like" by its word."""
    found: dict[int, tuple[str, str]] = {}

    def add(char: str, letter: str, kind: str) -> None:
        plain = unicodedata.normalize("NFKD", char)[0]
        if plain.isascii() and char != "ı":
            raise SystemExit(f"{char!r} decomposes to {plain!r} and needs no entry")
        if char.lower() == char and ord(char) not in found:
            found[ord(char)] = (letter, kind)

    for script, (same, like) in LOOK_ALIKES.items():
        for kind, listed in (("Same", same), ("Like", like)):
            for char, letter in pairs(listed):
                if not unicodedata.name(char).startswith(script):
                    raise SystemExit(f"{char!r} is {unicodedata.name(char)}, not {script}")
                add(char, letter, kind)
    for char, letter in pairs(STROKED) + pairs(SIMILAR):
        add(char, letter, "Latin")
    for code in range(0x80, 0x110000):
        name = unicodedata.name(chr(code), "")
        if not any(
            word in name for word in ("LATIN LETTER", "LATIN SMALL", "LATIN CAPITAL", "REG")
        ):
            continue
        if unicodedata.normalize("NFKD", chr(code))[0].isascii():
            continue
        for pattern in NAMED:
            if match := re.fullmatch(pattern, name):
                add(chr(code), match[1].lower(), "Latin")
    return found


def text() -> str:
    """The table as C++."""
    lines = [
        "// Made by tools/make_confusables.py; do not edit.",
        "// {code point, the Latin letter it is read as, kind}, by code point.",
        "constexpr Confusable kConfusables[] = {",
    ]
    line = ""
    for code, (letter, kind) in sorted(table().items()):
        entry = f"{{0x{code:X}, '{letter}', LookAlike::k{kind}}}, "
        if len(line) + len(entry) > 101:
            lines.append(line.rstrip())
            line = ""
        line += entry
    return "\n".join([*lines, line.rstrip(), "};", ""])


def main() -> None:
    if "--check" in sys.argv:
        if OUT.read_text() != text():
            raise SystemExit(f"{OUT} is not what this script writes")
    else:
        OUT.write_text(text())


if __name__ == "__main__":
    main()
