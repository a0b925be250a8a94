"""Freezes the reference's character classes into kernels/tokenizer/unicode_tables.inc.

Knows: which component of the `tokenizers` package asks which question about a character. Does not
know Unicode: each answer comes from running that component over every code point, because the
package carries tables of several Unicode versions at once (Oniguruma's, Rust's, the regex crate's,
`unicode_categories`'), so no single version of the standard gives the same ids.

    python tools/make_unicode_tables.py            # rewrites the .inc
    python tools/make_unicode_tables.py --check    # fails if it would change
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

OUT = Path(__file__).resolve().parent.parent / "kernels/tokenizer/unicode_tables.inc"
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ALL = "".join(map(chr, CODES))

# General categories in the order of the C++ enum; 0 is Cn (and everything Oniguruma leaves out).
NAMES = "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co"
CATEGORIES = NAMES.split()
SPACE, NUMERIC, WORD, PUNCTUATION, REGEX_WORD = (1 << bit for bit in range(5, 10))
BERT_REMOVED, NONSPACING, COMBINING = (1 << bit for bit in range(10, 13))


def matches(pre_tokenizer: pre_tokenizers.PreTokenizer) -> set[int]:
    """Code points that a delimiter-removing pre-tokenizer takes away."""
    left: set[int] = set()
    for _, (start, end) in pre_tokenizer.pre_tokenize_str(ALL):
        left.update(CODES[start:end])
    return set(CODES) - left


def by_regex(pattern: str) -> set[int]:
    return matches(pre_tokenizers.Split(Regex(f"{pattern}+"), "removed"))


def rust_numeric() -> set[int]:
    """Digits groups runs; the text starts with U+0000, no number, so every second run is one."""
    runs = pre_tokenizers.Digits(individual_digits=False).pre_tokenize_str(ALL)
    return {c for _, (start, end) in runs[1::2] for c in CODES[start:end]}


def word_characters() -> set[int]:
    """`\\w` of the regex crate: a single_word token does not match before such a character."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("ab", single_word=True, normalized=False)])
    token = tokenizer.token_to_id("ab")
    found: set[int] = set()
    for first in range(0, len(CODES), 1 << 16):
        codes = CODES[first : first + (1 << 16)]
        text = "".join(f" ab{chr(c)}" for c in codes)
        encoding = tokenizer.encode(text, add_special_tokens=False)
        free = {s for i, (s, _) in zip(encoding.ids, encoding.offsets, strict=True) if i == token}
        found.update(c for n, c in enumerate(codes) if 4 * n + 1 not in free)
    return found


def removed(normalizer: normalizers.Normalizer) -> set[int]:
    return {c for c in CODES if normalizer.normalize_str(f"q{chr(c)}q") == "qq"}


def undecomposed(codes: set[int]) -> set[int]:
    """Those that stay themselves in NFD, which comes before the question they were asked."""
    nfd = normalizers.NFD()
    return {c for c in codes if nfd.normalize_str(chr(c)) == chr(c)}


def bert(**steps: bool) -> normalizers.Normalizer:
    every = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"))
    return normalizers.BertNormalizer(**{name: steps.get(name, False) for name in every})


def main() -> int:
    value = dict.fromkeys(range(0x110000), 0)
    for number, name in enumerate(CATEGORIES[1:], 1):
        for c in by_regex(rf"\p{{{name}}}"):
            assert value[c] == 0, f"U+{c:04X} is in two categories"
            value[c] = number
    spaces = by_regex(r"\s")
    assert by_regex(r"\d") == by_regex(r"\p{Nd}"), "two kinds of digits"
    assert spaces == matches(pre_tokenizers.WhitespaceSplit()), "two kinds of white space"
    for bit, members in (
        (SPACE, spaces),
        (NUMERIC, rust_numeric()),
        (WORD, word_characters()),
        (PUNCTUATION, matches(pre_tokenizers.Punctuation("removed"))),
        (REGEX_WORD, by_regex(r"\w")),
        (BERT_REMOVED, removed(bert(clean_text=True))),
        (NONSPACING, undecomposed(removed(bert(strip_accents=True)))),
        (COMBINING, removed(normalizers.StripAccents())),
    ):
        for c in members:
            value[c] |= bit

    runs = [(v, len(list(g))) for v, g in groupby(value[c] for c in range(0x110000))]
    lines = [
        f"// Made by tools/make_unicode_tables.py from tokenizers {tokenizers.__version__}; "
        "do not edit.",
        "// {class bits, how many code points}, from U+0000 on; the bits are in unicode.h.",
    ]
    row = ""
    for v, n in runs:
        item = f"{{{v},{n}}},"
        if len(row) + len(item) > 99:
            lines.append(row)
            row = ""
        row += item
    text = "\n".join([*lines, row]) + "\n"
    if "--check" in sys.argv:
        return int(OUT.read_text() != text)
    OUT.write_text(text)
    print(f"{OUT.name}: {len(runs)} runs, {len(text)} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
