"""SentencePiece models: written byte by byte, judged by SentencePiece where it is installed."""

from __future__ import annotations

import json
import os
import random
import struct
from contextlib import suppress
from pathlib import Path

import pytest

from edgeward import Tokenizer
from edgeward.errors import TokenizerError
from edgeward.vocabularies import sentencepiece

DATA = os.environ.get("EDGEWARD_DATA", "")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def piece(text: str, score: float, kind: int = NORMAL) -> bytes:
    content = message(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score)
    return message(1, content + number(3, kind))


def model(*pieces: bytes, kind: int = 2, extra: bytes = b"", trainer: bytes = b"") -> bytes:
    special = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    head = b"".join(piece(text, 0, kind) for text, kind in special)
    normalizer = extra or number(4, 0)  # no remove_extra_whitespaces
    return head + b"".join(pieces) + message(2, number(3, kind) + trainer) + message(3, normalizer)


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    return path


def letters(*scored: tuple[str, float]) -> list[bytes]:
    return [piece(c, -9.0) for c in "\u2581abc"] + [piece(text, score) for text, score in scored]


def pieces_of(tmp_path: Path, content: bytes, text: str) -> list[str | None]:
    tokenizer = Tokenizer.from_file(written(tmp_path, content))
    return [tokenizer.id_to_token(id) for id in tokenizer.encode(text)]


def test_white_space_is_collapsed_where_the_model_says_so(tmp_path):
    content = model(*letters(), extra=number(4, 1))
    assert pieces_of(tmp_path, content, "  a   b ") == ["\u2581", "a", "\u2581", "b"]
    assert pieces_of(tmp_path, content, "   ") == []
    tokenizer = Tokenizer.from_file(tmp_path / "tokenizer.model")
    assert tokenizer.offsets("  a   b ") == [(2, 3), (2, 3), (3, 4), (6, 7)]


def test_the_mark_may_follow_a_word(tmp_path):
    content = model(*letters(), extra=number(4, 0), trainer=number(24, 1))
    assert pieces_of(tmp_path, content, "a b") == ["a", "\u2581", "b", "\u2581"]


def test_the_best_score_is_merged_first(tmp_path):
    content = model(*letters(("ab", -2.0), ("bc", -1.0)))
    assert pieces_of(tmp_path, content, "abc") == ["\u2581", "a", "bc"]


def test_of_equal_scores_the_first_place_is_merged(tmp_path):
    content = model(*letters(("\u2581\u2581", 0.0), ("\u2581" * 3, 0.0), ("\u2581" * 4, 0.0)))
    assert pieces_of(tmp_path, content, " " * 6) == ["\u2581" * 4, "\u2581" * 3]
    # Parts of one token in the order of the text, and not of the rules.
    content = model(*letters(("aa", -1.0), ("aaa", -2.0), ("aab", -3.0)))
    assert pieces_of(tmp_path, content, "aaaa") == ["\u2581", "aa", "aa"]


def test_a_leading_space_keeps_its_dummy_prefix(tmp_path):
    assert pieces_of(tmp_path, model(*letters()), " a") == ["\u2581", "\u2581", "a"]


def test_control_symbols_are_text_and_user_defined_ones_are_found(tmp_path):
    content = model(*letters(("[x]", 0.0)), piece("[y]", 0.0, USER_DEFINED))
    assert pieces_of(tmp_path, content, "a[y]b<s>") == [
        *("\u2581", "a", "[y]", "b", "<unk>"),
    ]
    tokenizer = Tokenizer.from_file(written(tmp_path, content))
    assert tokenizer.is_special(1)
    assert not tokenizer.is_special(tokenizer.token_to_id("[y]") or 0)
    assert (tokenizer.bos_id, tokenizer.eos_id) == (1, 2)
    assert tokenizer.decode([1, *tokenizer.encode("a b[y]"), 2]) == "a b[y]"


def test_unknown_characters_become_bytes_where_the_model_has_them(tmp_path):
    content = model(
        *letters(), *(piece(f"<0x{b:02X}>", 0.0, BYTE) for b in range(256)), trainer=number(35, 1)
    )
    assert pieces_of(tmp_path, content, "\u00e9") == ["\u2581", "<0xC3>", "<0xA9>"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no pieces"),
        (b"\xff\xff", "cut off"),
        (b"\x0a\x7f", "cut off"),
        (b"\x0b\x00", "has the kind 3"),
        (b"\x00\x00", "number 0"),
        (b"\x80" * 11, "more than 10 bytes"),
        (b"\x08\x01", "a message is expected"),
        (message(1, message(1, b"\xff")), "not UTF-8"),
        (model(piece("a", 0.0), piece("a", 0.0)), "stands twice"),
        (model(piece("a", float("nan"))), "is damaged"),
        (model(piece("a", 0.0, 9)), "is damaged"),
        (model(piece("a", 0.0), kind=3), "'word' are not supported"),
        (model(piece("a", 0.0), kind=1), "'unigram' are not supported"),
        (model(piece("a", 0.0, 5)), "unused pieces"),
        (model(piece("u", 0.0, UNKNOWN)), "2 unknown pieces"),
        (model(piece("a", 0.0), trainer=number(35, 1)), "0 byte pieces"),
    ],
)
def test_damaged_models_are_refused_by_name(content, said, tmp_path):
    with pytest.raises(TokenizerError, match=r"tokenizer\.model: .*" + said):
        Tokenizer.from_file(written(tmp_path, content))


def test_random_damage_ends_in_an_error_or_a_tokenizer(tmp_path):
    rng = random.Random(5)
    good = model(*letters(("ab", -2.0)), piece("[y]", 0.0, USER_DEFINED))
    for _ in range(300):
        text = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        path = written(tmp_path, bytes(text[: rng.randint(1, len(text))]))
        with suppress(TokenizerError):
            Tokenizer.from_file(path)


@pytest.mark.corpus
@pytest.mark.skipif(not DATA, reason="EDGEWARD_DATA is not set")
@pytest.mark.parametrize("name", ["mistral-v1", "mistral-v3"])
def test_the_whole_corpus_has_the_ids_of_sentencepiece(name):
    spm = pytest.importorskip("sentencepiece")
    path = Path(DATA) / "tokenizers" / name / "tokenizer.model"
    reference = spm.SentencePieceProcessor(model_file=str(path))
    ours = Tokenizer.from_file(path)
    for file in sorted((Path(DATA) / "corpus").rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            text = json.loads(line).get("text")
            if text is not None and len(text) < 20_000:
                ids = reference.encode(text)
                assert ours.encode(text) == ids, text[:200]
                assert ours.decode(ids) == reference.decode(ids), text[:200]


def test_fields_this_does_not_know_are_skipped():
    read = sentencepiece.read(model(*letters()) + number(99, 5) + message(98, b"x"))
    assert len(read.pieces) == 7
