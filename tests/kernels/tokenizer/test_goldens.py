"""Tokenizers against the stored reference, and SmolLM2's against the installed one too."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

GOLDENS = sorted((Path(__file__).resolve().parents[2] / "data").glob("tokenizers/*/goldens*"))


@pytest.mark.parametrize("file", GOLDENS, ids=lambda p: p.parent.name)
def test_ids_offsets_and_texts_are_those_of_the_stored_reference(file, corpus):
    from edgeward.kernels import _native

    tokenizer = _native.Tokenizer(gzip.decompress((file.parent / "tokenizer.json.gz").read_bytes()))
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()[1:]
    assert len(lines) > 1500
    for line in lines:
        golden = json.loads(line)
        text = corpus[golden["id"]]
        ids, offsets = tokenizer.encode_with_offsets(text)
        assert ids == golden["ids"], golden["id"]
        assert [place for pair in offsets for place in pair] == golden["offsets"], golden["id"]
        assert tokenizer.encode(text) == ids
        assert tokenizer.decode(ids, False) == golden.get("text", text), golden["id"]


def test_the_installed_reference_says_the_same(corpus, smollm2, smollm2_reference):
    for id, text in corpus.items():
        expected = smollm2_reference.encode(text)
        assert smollm2.encode_with_offsets(text) == (expected.ids, expected.offsets), id


def test_a_batch_is_what_its_texts_are_alone(corpus, smollm2):
    texts = list(corpus.values())[:400]
    alone = [smollm2.encode(text) for text in texts]
    for threads in (1, 2, 5):
        assert smollm2.encode_batch(texts, threads=threads) == alone


def test_the_project_s_own_source_files(smollm2, smollm2_reference):
    root = Path(__file__).resolve().parents[3]
    files = [*root.glob("kernels/**/*.cpp"), *root.glob("kernels/*.pyx"), *root.glob("*.toml")]
    assert len(files) > 10
    for file in files:
        text = file.read_text(encoding="utf-8")
        expected = smollm2_reference.encode(text)
        assert smollm2.encode_with_offsets(text) == (expected.ids, expected.offsets), file


KINDS = json.loads(
    gzip.decompress(GOLDENS[0].parents[2].joinpath("golden/tokenizer_kinds.json.gz").read_bytes())
)


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("name", KINDS["files"])
def test_every_kind_of_file_gives_what_the_stored_reference_gave(name, cache):
    from edgeward.kernels import _native

    golden = KINDS["files"][name]
    tokenizer = _native.Tokenizer(json.dumps(golden["file"]).encode(), cache)
    for text, (ids, flat, decoded) in zip(KINDS["texts"], golden["answers"], strict=True):
        found, offsets = tokenizer.encode_with_offsets(text)
        assert found == ids, repr(text)
        assert [place for pair in offsets for place in pair] == flat, repr(text)
        assert tokenizer.encode(text) == ids, repr(text)
        assert tokenizer.decode(ids, False) == decoded, repr(text)


def test_the_goldens_of_kinds_reach_every_kind():
    models = {entry["file"]["model"]["type"] for entry in KINDS["files"].values()}
    assert models == {"BPE", "Unigram", "WordLevel", "WordPiece"}
    # Answers that are nothing but unknown tokens would show little.
    for entry in KINDS["files"].values():
        assert len({tuple(ids) for ids, _, _ in entry["answers"]}) > len(KINDS["texts"]) / 2
