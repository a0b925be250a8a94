"""Regular expressions of Split against Oniguruma in `tokenizers`: known patterns, random ones."""

from __future__ import annotations

import json
import random

import pytest

from edgeward.kernels import _native

KNOWN = {
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"
    r"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "han": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "digits": r"\d{1,3}(?=\d)|\d",
    "lazy": r"a+?b|a??c|ab{2,}|b{2}",
    "words": r"\w+|[^\w\s]+",
    "not": r"\P{L}+|\p{^N}",
    "intersection": r"[\p{L}&&[^a-m]]+|[a-z&&[aeiou]]",
    "nested": r"[[a-c][x-z]0-9]+|[^[a-z]\s]+",
    "escapes": r"\x41|\x{e9}|\u00c9|\t|\.|\-|[\]\\^-]|[a\-c]",
    "last-character": r"a(?!b)|b(?=c)|.",
    "braces": r"a{|x{,2}y|b{1}|}",
}
ALPHABET = "abcABC xyz0123'\u017fsStTlL\n\r\t.,-[]{}\\^/\u00e9\u00c9\u65e5\u30a2\u0301\u00b2\u2028"


def split_file(make_json, pattern, behavior="Isolated", invert=False):
    """Every pair of neighbours merges, so that each cut shows in the ids."""
    letters = "abcABCxyz0123stSTlL'.,-Ġ"
    merges = [f"{a} {b}" for a in letters for b in letters]
    merges += [f"{a}{b} {c}" for a in "abcĠ" for b in "abc" for c in "abc"]
    stages = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    ]
    return make_json(
        merges=tuple(merges), pre_tokenizer={"type": "Sequence", "pretokenizers": stages}
    )


def random_texts(seed, count=250):
    rng = random.Random(seed)
    for _ in range(count):
        yield "".join(rng.choices(ALPHABET, k=rng.choice((1, 2, 5, 12, 40))))


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(("behavior", "invert"), [("Isolated", False), ("Removed", True)])
def test_known_patterns(name, behavior, invert, make_json, both):
    pair = both(split_file(make_json, KNOWN[name], behavior, invert))
    for text in random_texts(name):
        pair.check(text)


def random_pattern(rng, depth=0):
    atoms = ["a", "b", "c", "x", " ", r"\s", r"\S", r"\p{L}", r"\p{Lu}", "[a-c]", "[^ab]", r"[\s1]"]

    def item():
        if depth < 2 and rng.random() < 0.25:
            return f"(?:{random_pattern(rng, depth + 1)})"
        return rng.choice(atoms)

    def piece():
        return item() + rng.choice(["", "", "", "?", "*", "+", "{2}", "{1,3}", "+?", "*?"])

    branches = [
        "".join(piece() for _ in range(rng.randint(1, 3))) for _ in range(rng.randint(1, 3))
    ]
    if depth == 0:
        branches = [b + rng.choice(["", "", "(?!a)", r"(?=\S)", r"(?!\S)"]) for b in branches]
    return "|".join(branches)


@pytest.mark.parametrize("seed", range(60))
def test_random_patterns(seed, make_json, both):
    rng = random.Random(seed)
    pattern = random_pattern(rng)
    file = split_file(make_json, pattern)
    try:
        _native.Tokenizer(json.dumps(file).encode())
    except ValueError as error:
        # The only two reasons for which such a pattern may be refused.
        reasons = ("may match no character", "of what may match nothing")
        assert any(reason in str(error) for reason in reasons)  # noqa: PT017
        return
    pair = both(file)
    for text in random_texts(seed, 80):
        pair.check(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "a)",
        "[a",
        "[]",
        "[b-a]",
        "*a",
        "a**",
        "a++",
        "a?+",
        "^a",
        "a$",
        r"a\b",
        r"(a)\1",
        "(?<=a)b",
        "(?<name>a)",
        "(?>a)",
        "(?!ab)c",
        "(?i:\u00e9)",
        "(?i:[a-z])",
        r"\p{Klingon}",
        r"\p",
        r"\x{110000}",
        r"\ud800",
        "[[:alpha:]]",
        "a{300}",
        "a{3,2}",
        "a*",
        "a?|b",
        "(?:a|)",
        "(?:" * 100 + "a" + ")" * 100,
        "(?:(?:a{99}){99}){99}",
        "(?:a?)+b",
        "(?:a*|b)*c",
        "x" * 20_000,
    ],
)
def test_what_is_not_supported_is_refused_with_a_reason(pattern, make_json):
    file = json.dumps(split_file(make_json, pattern)).encode()
    with pytest.raises(ValueError, match=r"not supported|too many"):
        _native.Tokenizer(file)


def test_a_pattern_that_makes_backtracking_engines_explode_is_linear(make_json):
    file = split_file(make_json, r"(?:a|a|ab|aa)+c|(?:x+x+)+y|.")
    tokenizer = _native.Tokenizer(json.dumps(file).encode())
    text = "a" * 3000 + "x" * 3000
    assert tokenizer.decode(tokenizer.encode(text)) == text
