"""Hand-built cutters against the automaton of the same pattern and against `tokenizers`."""

from __future__ import annotations

import json
import random
from functools import cache

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeward.kernels import _native

CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
SIGNS = r" ?[^\s\p{L}\p{N}]+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def split(regex, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert}


BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
DIGITS = {"type": "Digits", "individual_digits": True}
QWEN = (
    CONTRACTION
    + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FILES = {
    "gpt2": split(GPT2),
    "smollm": {"type": "Sequence", "pretokenizers": [DIGITS, split(GPT2)]},
    "cl100k": split(QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|"), "Removed", invert=True),
    "qwen2": split(QWEN),
    "qwen3.5": split(
        CONTRACTION
        + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
        + SPACES
    ),
    "o200k": split(
        LOWER
        + CONTRACTION
        + "?|"
        + UPPER
        + CONTRACTION
        + r"?|\p{N}{1,3}|"
        + SIGNS
        + r"[\r\n/]*"
        + SPACES
    ),
    "tekken": split(LOWER + "|" + UPPER + r"|\p{N}|" + SIGNS + r"[\r\n/]*" + SPACES),
    "deepseek": {
        "type": "Sequence",
        "pretokenizers": [
            split(r"\p{N}{1,3}"),
            split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
            split(
                r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"
                r"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*" + SPACES
            ),
        ],
    },
    "bert": {"type": "BertPreTokenizer"},
}
# The reference cannot say where ByteLevel cuts in bytes; its expression as a Split can.
GROUPS = [
    "abcxyzstmdrevlSTMDREVL",
    "ABCXYZ\u01c5\u0130",
    "\u00e9\u00df\u017f\u0430\u0431\u0410\u03c3\u03a3",
    "\u65e5\u672c\u3042\u30a2\u30fb\u0e01\u05d0\u0915\u02b0\u00aa\u9fa6",
    "\u0301\u0308\u093f\u0e31\u20dd\u3099",
    "0123456789",
    "\u0663\u00b2\u00bd\u2167\u0967",
    " ",
    "\n\r",
    "\t\x0b\x0c\u0085\u00a0\u2003\u2028\u3000",
    "'",
    '.,!?-/\\()[]{}<>=+*&^%$#@~`|_:;"',
    "\u2019\u00ab\u3002\u20ac\U0001f600\u00b4",
    "\x00\x01\x1c\x1f\x7f\u200b\u200d\ufeff\u00ad\ue000\u0378\U000e0041",
]
PHRASES = [
    "'s",
    "'S",
    "'\u017f",
    "'ll",
    "'Re",
    "'VE",
    "\r\n",
    "\n\n",
    "  ",
    "...",
    "//",
    "/*",
    ".\n/",
]


@cache
def splitters(name):
    data = json.dumps(FILES[name]).encode()
    return _native.Splitter(data), _native.Splitter(data, False)


@cache
def reference(name):
    if name == "bert":
        return tokenizers.pre_tokenizers.BertPreTokenizer()
    file = FILES[name]
    stages = [
        tokenizers.pre_tokenizers.Digits(individual_digits=True)
        if stage["type"] == "Digits"
        else tokenizers.pre_tokenizers.Split(
            tokenizers.Regex(stage["pattern"]["Regex"]),
            {"Isolated": "isolated", "Removed": "removed"}[stage["behavior"]],
            stage["invert"],
        )
        for stage in file.get("pretokenizers", [file])
    ]
    return tokenizers.pre_tokenizers.Sequence(stages)


def check(name, text):
    known, automaton = splitters(name)
    data = text.encode()
    found = known.cut(data)
    assert found == automaton.cut(data), repr(text)
    pieces = [data[begin:end].decode() for begin, end in found]
    assert pieces == [p for p, _ in reference(name).pre_tokenize_str(text)], repr(text)


def random_text(rng):
    """Short and long runs of few kinds of characters, so that borders fall everywhere."""
    groups = rng.sample(GROUPS, rng.randint(1, 6))
    parts = []
    for _ in range(rng.choice((1, 3, 10, 40))):
        if rng.random() < 0.2:
            parts.append(rng.choice(PHRASES))
        else:
            group = rng.choice(groups)
            parts += rng.choices(group, k=rng.choice((1, 1, 1, 2, 3, 4, 7, 20, 66)))
    return "".join(parts)


@pytest.mark.parametrize("name", FILES)
def test_a_cutter_gives_the_pieces_of_its_automaton_and_of_the_reference(name):
    rng = random.Random(name)
    for _ in range(1500):
        check(name, random_text(rng))


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=150, deadline=None)
@given(text=st.text(st.sampled_from("".join(GROUPS) + "''  \n"), max_size=200))
def test_a_cutter_gives_the_pieces_of_its_automaton(name, text):
    check(name, text)


@pytest.mark.parametrize("name", FILES)
def test_every_code_point_in_three_contexts(name):
    known, automaton = splitters(name)
    for first in range(0, 0x110000, 64):
        codes = [c for c in range(first, first + 64) if not 0xD800 <= c < 0xE000]
        text = "".join(f"a{chr(c)}b {chr(c)} .{chr(c)}{chr(c)}'{chr(c)}\n{chr(c)}" for c in codes)
        data = text.encode()
        assert known.cut(data) == automaton.cut(data), hex(first)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "piece", ["a", " ", "\n", "=", "'", "1", "\u00e9", "\u3042", "\u0301", "\u3000", "\x01"]
)
def test_a_run_of_one_character(name, piece):
    for count in (1, 2, 3, 31, 61, 62, 63, 64, 65, 127, 128, 129, 1000):
        for before in ("", "x", " "):
            for behind in ("", "y", " z", "7", "'s"):
                check(name, before + piece * count + behind)
