"""Precompiled charsmaps against the installed `tokenizers`: clusters, prefixes, origins, damage."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import random
import re
import struct
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tokenizers
from charsmap import charsmap

from edgeward.kernels import _native

ROOT = Path(__file__).resolve().parents[3]


@cache
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_grapheme_tables", ROOT / "tools/make_grapheme_tables.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file(normalizer: dict[str, Any]) -> dict[str, Any]:
    codes = [c for c in range(1, 0x3100) if c != ord("?")]
    return {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "FixedLength", "length": 1},
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {"?": 0} | {chr(c): c for c in codes},
            "unk_token": "?",
        },
    }


def precompiled(rules: dict[str, str]) -> dict[str, Any]:
    return file({"type": "Precompiled", "precompiled_charsmap": charsmap(rules)})


RULES = {
    "\t": " ",
    "\n": " ",
    "\r": " ",
    "\x01": "",
    "\u00ad": "",
    "½": "1\u20442",
    "ﬁ": "fi",
    "e\u0301": "é",
    "o": "0",
    "が": "GA",
    "\u3099": "",
    "㍿": "株式会社",
}


def test_replacements_removals_and_their_origins(both):
    pair = both(precompiled(RULES))
    chosen = random.Random(3)
    alphabet = [*RULES]
    alphabet += ["a", "e", "\u0301", "\u200d", "か", " ", "\r\n", "日", "😀", "\0", "x" * 20]
    for text in (
        "",
        "\x01",
        "\x01abc",
        "\x01\x01a½b",
        "½\x01b",
        "a\x01b\u00adc",
        "o\u0301o",
        "ﬁ\x01",
    ):
        pair.check(text)
    for _ in range(4000):
        pair.check("".join(chosen.choices(alphabet, k=chosen.randint(1, 9))))


def test_clusters_are_those_of_the_reference():
    """Each class of characters, in random texts, under a map that shows where clusters end."""
    table = (ROOT / "kernels/tokenizer/grapheme_tables.inc").read_text()
    members: dict[int, list[int]] = {}
    at = 0
    for value, count in re.findall(r"\{(\d+),(\d+)\}", table):
        members.setdefault(int(value), []).extend({at, at + int(count) // 2, at + int(count) - 1})
        at += int(count)
    assert at == 0x110000
    chosen = random.Random(7)
    whole = json.dumps(file({"type": "Precompiled", "precompiled_charsmap": tool().charsmap()}))
    ours = _native.Tokenizer(whole.encode())
    reference = tokenizers.Tokenizer.from_str(whole)
    classes = sorted(members)
    for _ in range(6000):
        codes = [
            chosen.choice(members[chosen.choice(classes)]) for _ in range(chosen.randint(1, 9))
        ]
        text = "".join(chr(c) for c in codes if not 0xD800 <= c <= 0xDFFF)
        expected = reference.encode(text)
        assert ours.encode_with_offsets(text) == (expected.ids, expected.offsets), ascii(text)


def test_long_plain_stretches_around_changes(both):
    pair = both(precompiled(RULES))
    for size in (1, 7, 8, 9, 15, 16, 17, 31, 64, 65):
        for middle in ("½", "\n", "é", "e\u0301", "\x7f", "~", "o"):
            pair.check("a" * size + middle + "b" * size)


@pytest.mark.parametrize(
    ("blob", "match"),
    [
        ("", "0 bytes"),
        ("abc", "base64"),
        ("ab*=", "base64"),
        (base64.b64encode(b"\xff\xff\xff\xff1234").decode(), "its trie"),
        (base64.b64encode(b"\0\0\0\0").decode(), "its trie"),
        (base64.b64encode(struct.pack("<II", 4, 0) + b"\xff\0").decode(), "UTF-8"),
    ],
)
def test_a_damaged_charsmap_is_refused(blob, match):
    with pytest.raises(ValueError, match=match):
        _native.Tokenizer(
            json.dumps(file({"type": "Precompiled", "precompiled_charsmap": blob})).encode()
        )


def test_units_that_point_outside_do_not_reach_there():
    chosen = random.Random(11)
    for _ in range(300):
        units = [chosen.getrandbits(32) for _ in range(chosen.choice([1, 64, 512]))]
        blob = base64.b64encode(struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + b"x\0")
        text = json.dumps(file({"type": "Precompiled", "precompiled_charsmap": blob.decode()}))
        with contextlib.suppress(ValueError):  # or it maps to something, or to nothing
            _native.Tokenizer(text.encode()).encode("abc déf 日本 \u0301")
