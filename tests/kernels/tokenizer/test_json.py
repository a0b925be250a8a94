"""The JSON reader against Python's: what it takes, what it refuses, at every place in a block."""

from __future__ import annotations

import json
import random
import time

import pytest

from edgeward.kernels import _native


def refusal(text: bytes) -> str:
    """Why the reader refuses `text` as JSON; empty if it is JSON (no tokenizer file, though)."""
    try:
        _native.Tokenizer(text)
    except ValueError as error:
        return str(error) if "not valid JSON" in str(error) else ""
    return ""


def python_reads(text: bytes) -> bool:
    def constant(name: str) -> None:
        raise ValueError(name)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    try:
        value = json.loads(text.decode("utf-8"), parse_constant=constant, object_pairs_hook=once)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # no lone surrogates
    except (ValueError, RecursionError):
        return False
    return True


CHARACTERS = [
    "a",
    "\u00e9",
    "\u0120",
    "\u0800",
    "\u4e2d",
    "\ud7ff",
    "\ue000",
    "\U0001f600",
    "\U0010ffff",
]


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("indent", [None, 1, 9, "\t"])
def test_strings_of_every_length_are_read(character, indent):
    for length in range(40):
        for before in range(0, 17, 3):
            text = "x" * before + character * length
            value = {text: [text, {"k" + text: text + "\n"}]}
            raw = json.dumps(value, ensure_ascii=False, indent=indent).encode()
            assert refusal(raw) == ""
            assert refusal(json.dumps(value, indent=indent).encode()) == ""


@pytest.mark.parametrize(
    "broken",
    [
        b"\x80",
        b"\xc3",
        b"\xc1\x81",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xe4\xb8",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"\xc3\xc3\xa9",
        b"\x00",
        b"\x1f",
        b"\n",
    ],
)
def test_a_bad_byte_is_found_wherever_it_stands(broken):
    for before in range(40):
        for after in (0, 1, 15, 16, 40):
            text = b'["' + b"x" * before + broken + b"y" * after + b'"]'
            assert refusal(text), text
            assert refusal(b'["\\t' + text[2:]), text


@pytest.mark.parametrize("seed", range(4))
def test_damaged_text_is_judged_as_python_judges_it(seed):
    rng = random.Random(seed)
    value = {
        "a": [1, -2.5e3, True, None, "\u00e9\n\u4e2d", {"b": "", "c": {}}],
        "long name with spaces in it": ["\U0001f600" * 7, [], "tab\there", 0, 1234567890123456],
    }
    good = json.dumps(value, ensure_ascii=False, indent=rng.choice([None, 2])).encode()
    for _ in range(3000):
        text = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text))
            text[at : at + rng.choice([0, 1, 1, 4])] = bytes(
                rng.choice(b'"\\{}[]:,0129.eE+-tfnu \t\r\n\x00\x1f\x80\xc3\xa9\xe4\xf0\xff')
                for _ in range(rng.choice([0, 1, 1, 2]))
            )
        assert (refusal(bytes(text)) == "") == python_reads(bytes(text)), bytes(text)


@pytest.mark.parametrize("space", [" ", "\t", "\r", "\n", " \t", "\n\r\t "])
def test_any_amount_of_any_white_space_is_skipped(space):
    for count in range(40):
        assert refusal(f"[{space * count}1{space * count},2]{space * count}".encode()) == ""


@pytest.mark.parametrize("members", [2, 16, 17, 1024])
def test_a_name_given_twice_is_refused(members):
    names = [f"n{i}" for i in range(members - 1)] + ["n0"]
    text = "{" + ",".join(f'"{name}": 1' for name in names) + "}"
    assert 'the name "n0" stands twice' in refusal(text.encode())


def test_a_token_given_twice_in_a_large_vocabulary_is_refused():
    vocab = ",".join(f'"t{i % 1999}": {i}' for i in range(2000))
    text = f'{{"model": {{"type": "WordLevel", "unk_token": "t0", "vocab": {{{vocab}}}}}}}'
    with pytest.raises(ValueError, match='token "t0" has two ids'):
        _native.Tokenizer(text.encode())


def test_reading_is_linear():
    def seconds(text: bytes) -> float:
        begin = time.process_time()
        refusal(text)
        return time.process_time() - begin

    for unit in (b"[],", b'"\\n",', b"{},", b'"\xc3\xa9",', b'{"a":1,"b":2},', b"  \t "):
        small, large = (seconds(b"[" + unit * n + b"0]") for n in (20_000, 400_000))
        assert large < 60 * max(small, 0.001), unit
