"""Compiled tokenizers: the same ids from a mapped file, and no trust in what it says."""

from __future__ import annotations

import json
import random
import struct
from contextlib import suppress
from pathlib import Path

import pytest

from edgeward.kernels import _native

SOURCE = bytes(range(32))
TEXTS = (
    "Hello world",
    "",
    "a  b\n\n\tc",
    "na\u00efve \u4e2d\u6587 \U0001f600",
    "x" * 100,
    "<s> he",
)


def compiled(file: dict[str, object]) -> bytes:
    raw = json.dumps(file).encode()
    model = file["model"]
    assert isinstance(model, dict)
    tables = {name: type(model[name])() for name in ("vocab", "merges") if name in model}
    rest = {**file, "model": {**model, **tables, "unk_id": None}}
    return _native.Tokenizer(raw).compile(json.dumps(rest).encode(), SOURCE)


def mapped(path: Path, content: bytes) -> _native.Tokenizer:
    path = path / "tokenizer.bin"
    path.unlink(missing_ok=True)  # an older mapping keeps its own file
    path.write_bytes(content)
    return _native.Tokenizer.from_compiled(str(path), SOURCE)


def spm(make_json, **members):
    vocab = {t: i for i, t in enumerate(["<unk>", "\u2581", "H", "e", "l", "o", "He", "ll"])}
    model = {"vocab": vocab, "merges": ["H e", "l l"], "unk_token": "<unk>", "fuse_unk": True}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    return make_json(model=model, normalizer=replace, pre_tokenizer=None, decoder=None, **members)


def other(make_json, **model):
    words = {"type": "WhitespaceSplit"}
    return {**make_json(pre_tokenizer=words, decoder=None), "model": model}


def word_pieces(make_json):
    tokens = ["[UNK]", "a", "b", "H", "He", "##l", "##llo", "wor", "##ld", "x", "##x", "##xxxx"]
    return other(
        make_json,
        type="WordPiece",
        vocab={token: id for id, token in enumerate(tokens)},
        unk_token="[UNK]",
        continuing_subword_prefix="##",
        max_input_chars_per_word=100,
    )


def words(make_json):
    vocab = {"Hello": 0, "a": 3, "?": 1}
    return other(make_json, type="WordLevel", vocab=vocab, unk_token="?")


def unigram(make_json):
    pieces = [["?", 0.0], ["H", -2.5], ["e", -2.0], ["l", -3.0], ["o", -2.25], ["Hell", -5.5]]
    pieces += [["x", -1.0], ["xx", -1.5], ["lo", -4.0], ["l", -3.5], ["<0xC3>", -9.0]]
    return other(make_json, type="Unigram", vocab=pieces, unk_id=0, byte_fallback=False)


KINDS = (
    "byte-level", "whole words", "lacking bytes", "characters", "word pieces", "words", "unigram"
)  # fmt: skip


@pytest.fixture
def files(make_json):
    added = [{"id": 0, "content": "<s>", "special": True}]
    merges = ("H e", "l l", "He ll", "Hell o", "a b", "x x", "xx xx")
    return {
        "byte-level": make_json(merges=merges, added_tokens=added),
        "whole words": make_json(merges=merges, model={"ignore_merges": True}),
        "lacking bytes": make_json(merges=merges, drop="xa\u0120"),
        "characters": spm(make_json),
        "word pieces": word_pieces(make_json),
        "words": words(make_json),
        "unigram": unigram(make_json),
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_mapped_tokenizer_is_the_same(name, files, tmp_path):
    if name == "lacking bytes":
        files[name]["model"]["merges"] = ["H e", "l l"]
    ours = mapped(tmp_path, compiled(files[name]))
    plain = _native.Tokenizer(json.dumps(files[name]).encode())
    assert (ours.vocab_size, ours.end_id) == (plain.vocab_size, plain.end_id)
    assert ours.added_tokens == plain.added_tokens
    for text in TEXTS:
        ids, offsets = plain.encode_with_offsets(text)
        assert ours.encode(text) == ids
        assert ours.encode_with_offsets(text) == (ids, offsets)
        assert ours.decode(ids, False) == plain.decode(ids, False)
    for id in range(plain.end_id):
        assert ours.id_to_token(id) == plain.id_to_token(id)
        assert ours.token_bytes(id) == plain.token_bytes(id)
        assert ours.is_special(id) == plain.is_special(id)


def test_the_committed_model_is_the_same_mapped(smollm2_json, smollm2, corpus, tmp_path):
    ours = mapped(tmp_path, compiled(json.loads(smollm2_json)))
    for text in [t for t in corpus.values() if len(t) < 10_000]:
        assert ours.encode(text) == smollm2.encode(text)


def test_the_file_outlives_its_name(files, tmp_path):
    ours = mapped(tmp_path, compiled(files["byte-level"]))
    (tmp_path / "tokenizer.bin").unlink()
    assert ours.decode(ours.encode("Hello world")) == "Hello world"


def test_a_score_for_every_token(files, tmp_path):
    content = bytearray(compiled(files["unigram"]))
    scores = [float(score) for _, score in files["unigram"]["model"]["vocab"]]
    at = content.index(struct.pack(f"={len(scores)}d", *scores))
    sizes = [i for i in range(64, at, 16) if content[i : i + 8] == at.to_bytes(8, "little")]
    content[sizes[0] + 8] = 8 * (len(scores) - 1)
    with pytest.raises(ValueError, match="without a score"):
        mapped(tmp_path, bytes(content))


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (0, b"X", "no such file"),
        (8, b"\x07", "it has version 7; this build reads version 2"),
        (12, b"\xff", "illegal number of sections"),
        (12, b"\x02", "a section is missing"),
        (12, b"\x0f", "a section too many"),
        (16, b"\x01", "bytes and says"),
        (24, b"\x01", "another byte order"),
        (32, b"\xff", "another tokenizer.json"),
        (64, b"\x01", "lies outside"),
        (70, b"\xff", "lies outside"),
        (72, b"\xff\xff\xff\xff\xff\xff\xff\xff", "lies outside"),
    ],
)
def test_a_damaged_header_is_refused_by_name(at, new, said, files, tmp_path):
    content = bytearray(compiled(files["byte-level"]))
    content[at : at + len(new)] = new
    with pytest.raises(ValueError, match=said):
        mapped(tmp_path, bytes(content))


def test_every_truncation_is_refused(files, tmp_path):
    content = compiled(files["byte-level"])
    for size in [*range(0, 400, 7), *range(400, len(content), 40_009)]:
        with pytest.raises(ValueError, match="compiled tokenizer"):
            mapped(tmp_path, content[:size])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["byte-level", "characters", "word pieces", "unigram"])
def test_damage_anywhere_is_refused_or_harmless(seed, name, files, tmp_path):
    rng = random.Random(seed)
    good = compiled(files[name])
    zeros = [i for i in range(0, len(good), 8) if good[i : i + 8] not in (b"\xff" * 8, bytes(8))]
    for _ in range(150):
        content = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            at = rng.choice(zeros) + rng.randrange(8)
            content[at] = rng.choice((0, 0x7F, 0xFF, content[at] ^ 1, rng.randrange(256)))
        with suppress(ValueError):
            ours = mapped(tmp_path, bytes(content))
            for text in TEXTS:
                ids, _ = ours.encode_with_offsets(text)
                ours.encode(text)
                ours.decode(ids, False)
            for id in range(ours.end_id):
                ours.token_bytes(id)
                ours.id_to_token(id)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        _native.Tokenizer.from_compiled(str(tmp_path / "none"), SOURCE)
