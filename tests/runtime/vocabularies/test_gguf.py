"""A GGUF vocabulary against damage, and against the models' own tokenizer.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_gguf
from tokenizers import Tokenizer

import edgeward
from edgeward.errors import IntakeError
from edgeward.quantize.intake.gguf_header import read_header
from edgeward.vocabularies.gguf import special_tokens, token_id, tokenizer_json
from edgeward.vocabularies.pretokenizers import PRETOKENIZERS

DATA = os.environ.get("EDGEWARD_DATA", "")
FILE = Path("model.gguf")
needs_corpus = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA, reason="EDGEWARD_DATA is not set"),
]


def metadata(**changes: Any) -> dict[str, Any]:
    tokens = ["<|end|>", *tiny_gguf.byte_characters(), "he", "ll"]
    given: dict[str, Any] = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": tokens,
        "token_type": np.array([3] + [1] * (len(tokens) - 1), np.int32),
        "merges": ["h e", "l l"],
        **changes,
    }
    return {f"tokenizer.ggml.{key}": value for key, value in given.items() if value is not None}


def tokenizer(**changes: Any) -> Tokenizer:
    return Tokenizer.from_str(tokenizer_json(FILE, metadata(**changes)).decode())


@pytest.mark.parametrize("pre", PRETOKENIZERS)
def test_every_row_makes_a_tokenizer_that_loads_and_loses_nothing(pre: str) -> None:
    made = tokenizer(pre=pre)
    text = "he'll say: 1234 Zeichen,\n\n  ÀÉ日本語 don't… \t🦊"
    assert made.decode(made.encode(text, add_special_tokens=False).ids) == text


def test_added_tokens_are_special_by_their_type() -> None:
    types = np.array([3, 4, 1] + [1] * 256, np.int32)
    made = tokenizer(token_type=types)
    flags = {t.content: t.special for t in made.get_added_tokens_decoder().values()}
    assert flags == {"<|end|>": True, "Ā": False}
    assert special_tokens(FILE, metadata(token_type=types)) == {"<|end|>": 0}


def test_unused_ids_have_no_text() -> None:
    types = np.array([3] + [1] * 256 + [5, 5], np.int32)
    assert tokenizer(token_type=types, merges=[]).get_vocab_size() == 257


@pytest.mark.parametrize("wants", ["bos", "eos"])
def test_a_begin_or_end_token_is_added_where_the_file_wants_it(wants: str) -> None:
    made = tokenizer(**{f"add_{wants}_token": True, f"{wants}_token_id": 0})
    middle = made.encode("he", add_special_tokens=False).ids
    assert made.encode("he").ids == ([0, *middle] if wants == "bos" else [*middle, 0])


def test_llama_3_begins_with_its_token_unless_told_otherwise() -> None:
    assert tokenizer(pre="llama-bpe", bos_token_id=0).encode("he").ids[0] == 0
    told = tokenizer(pre="llama-bpe", bos_token_id=0, add_bos_token=False)
    assert told.encode("he").ids[0] != 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tokens": None}, "no list of texts"),
        ({"tokens": []}, "no list of texts"),
        ({"tokens": np.arange(3)}, "no list of texts"),
        ({"tokens": [["a"]]}, "no list of texts"),
        ({"tokens": ["a", "a"], "token_type": None, "merges": []}, "occurs twice"),
        ({"token_type": np.array([1, 1], np.int32)}, "have 2 types"),
        ({"token_type": "abc"}, "types"),
        ({"token_type": np.array([7] * 259, np.int32)}, "token 0 has the type 7"),
        ({"token_type": np.array([-1] * 259, np.int32)}, "token 0 has the type -1"),
        ({"merges": None}, "'tokenizer.ggml.merges' is missing"),
        ({"merges": ["he"]}, "does not join two tokens"),
        ({"merges": ["h x y"]}, "does not join two tokens"),
        ({"merges": ["h h"]}, "gives no token"),
        ({"merges": [7]}, "does not join two tokens"),
        ({"bos_token_id": 259, "add_bos_token": True}, "not an id below 259"),
        ({"bos_token_id": -1, "add_bos_token": True}, "not an id below 259"),
        ({"bos_token_id": "0", "add_bos_token": True}, "not an id below 259"),
    ],
)
def test_a_damaged_vocabulary_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(IntakeError, match=words):
        tokenizer(**changes)


def test_an_id_that_is_not_named_is_none() -> None:
    assert token_id(FILE, metadata(), "eot_token_id") is None


@pytest.mark.parametrize(
    ("gguf", "real"),
    [
        ("smollm2-135m.vocab", "smollm2-135m"),
        ("ggml-vocab-gpt-2", "gpt2"),
        ("ggml-vocab-falcon", "falcon"),
    ],
)
class TestAgainstTheRealFile:
    """The models' own files, field by field and over the conformance corpus."""

    pytestmark = needs_corpus

    def test_every_field_is_the_same(self, gguf: str, real: str) -> None:
        ours, theirs = documents(gguf, real)
        pairs = theirs["model"]["merges"]
        theirs["model"]["merges"] = [m.split(" ") if isinstance(m, str) else m for m in pairs]
        theirs["model"] = {**ours["model"], **theirs["model"]}  # old files leave defaults out
        assert ours == theirs

    def test_ids_and_offsets_are_the_same(self, gguf: str, real: str) -> None:
        ours, theirs = (
            Tokenizer.from_str(json.dumps(document)) for document in documents(gguf, real)
        )
        texts = corpus()
        assert len(texts) > 10_000
        for text, a, b in zip(
            texts, ours.encode_batch(texts), theirs.encode_batch(texts), strict=True
        ):
            assert (a.ids, a.offsets) == (b.ids, b.offsets), text


def as_metadata(document: dict[str, Any], pre: str) -> dict[str, Any]:
    """What a converter to GGUF would write for this tokenizer.json."""
    added = {token["id"]: token for token in document["added_tokens"]}
    by_id = {number: text for text, number in document["model"]["vocab"].items()}
    by_id |= {number: token["content"] for number, token in added.items()}
    size = max(by_id) + 1
    kinds = [5 if n not in by_id else 1 if n not in added else 3 if added[n]["special"] else 4
             for n in range(size)]  # fmt: skip
    merges = [m if isinstance(m, str) else " ".join(m) for m in document["model"]["merges"]]
    return metadata(
        pre=pre,
        tokens=[by_id.get(number, f"[PAD{number}]") for number in range(size)],
        token_type=np.array(kinds, np.int32),
        merges=merges,
        add_bos_token=False,
    )


@pytest.mark.parametrize(
    ("real", "pre"), [("qwen3", "qwen2"), ("mistral-tekken", "tekken"), ("cl100k", "llama-bpe")]
)
class TestAgainstARealFileOfTheSameKind:
    """Rows for which no GGUF vocabulary is at hand: a real tokenizer.json, there and back."""

    pytestmark = needs_corpus

    def test_ids_are_the_same(self, real: str, pre: str) -> None:
        document = json.loads(Path(DATA, f"tokenizers/{real}/tokenizer.json").read_text())
        ours = Tokenizer.from_str(tokenizer_json(FILE, as_metadata(document, pre)).decode())
        theirs = Tokenizer.from_str(json.dumps(document))
        texts = corpus()
        mine = ours.encode_batch(texts, add_special_tokens=False)
        right = theirs.encode_batch(texts, add_special_tokens=False)
        different = [t for t, a, b in zip(texts, mine, right, strict=True) if a.ids != b.ids]
        assert different == []


def documents(gguf: str, real: str) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = Path(DATA, "tokenizers")
    path = folder / "gguf-vocab" / f"{gguf}.gguf"
    ours = json.loads(
        tokenizer_json(path, read_header(path, np.memmap(path, np.uint8, mode="r")).metadata)
    )
    return ours, json.loads((folder / real / "tokenizer.json").read_text(encoding="utf-8"))


def corpus() -> list[str]:
    """The conformance corpus; runs of a million characters are left to the tokenizer's tests."""
    folder = Path(DATA, "corpus")
    texts = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            text = json.loads(line).get("text", "")
            if len(text) < 20_000:
                texts.append(text)
    paths = sorted(p for name in ("udhr", "code") for p in (folder / name).rglob("*"))
    files = (path for path in paths if path.is_file())
    return texts + [path.read_text(encoding="utf-8", errors="replace") for path in files]


def spm(**changes: Any) -> dict[str, Any]:
    pieces = ["<unk>", "<s>", "</s>", "[y]", "\u2581", "a", "b", "ab", "\u2581ab"]
    types = [2, 3, 3, 4, 1, 1, 1, 1, 1]
    scores = [0.0, 0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -1.0, -2.0]
    given: dict[str, Any] = {
        "model": "llama",
        "pre": "default",
        "merges": None,
        "tokens": pieces,
        "token_type": np.array(types, np.int32),
        "scores": np.array(scores, np.float32),
        "bos_token_id": 1,
        **changes,
    }
    return metadata(**given)


def test_scored_vocabularies_merge_by_score_and_start_with_their_token() -> None:
    made = Tokenizer.from_str(tokenizer_json(FILE, spm()).decode())
    assert made.encode("ab ab[y]").tokens == ["<s>", "\u2581ab", "\u2581ab", "[y]"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": None}, "is no list of 9 numbers"),
        ({"scores": np.zeros(3, np.float32)}, "is no list of 9 numbers"),
        ({"scores": np.full(9, np.nan, np.float32)}, "not finite"),
        ({"unknown_token_id": 77}, "unknown_token_id is 77"),
        ({"tokens": ["a"] * 9}, "occurs twice"),
    ],
)
def test_damaged_scored_vocabularies_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(IntakeError, match=said):
        tokenizer_json(FILE, spm(**changes))


def test_wordpiece_marks_the_middles_of_words_again() -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581un", "able", "\u2581,"]
    made = Tokenizer.from_str(
        tokenizer_json(
            FILE,
            metadata(
                model="bert",
                merges=None,
                tokens=pieces,
                token_type=np.array([3, 3, 3, 3, 1, 1, 1], np.int32),
                cls_token_id=2,
                seperator_token_id=3,
                unknown_token_id=1,
            ),
        ).decode()
    )
    assert made.encode("Unable, x").tokens == ["[CLS]", "un", "##able", ",", "[UNK]", "[SEP]"]


@pytest.mark.corpus
@pytest.mark.skipif(not DATA, reason="EDGEWARD_DATA is not set")
@pytest.mark.parametrize("name", ["bert-bge", "falcon", "gpt-2", "mpt", "phi-3"])
def test_ids_are_those_that_llama_cpp_publishes(name: str) -> None:
    file = Path(DATA) / "tokenizers" / "gguf-vocab" / f"ggml-vocab-{name}.gguf"
    made = edgeward.Tokenizer.from_file(file)
    texts = Path(f"{file}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    lines = Path(f"{file}.out").read_text().splitlines()
    assert len(lines) > 40
    for text, line in zip(texts, lines, strict=False):  # behind the last text stands one more mark
        assert made.encode(text, add_special_tokens=False) == [int(id) for id in line.split()]
