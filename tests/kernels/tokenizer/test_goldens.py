"""SmolLM2's tokenizer against the stored and the installed reference, over the small corpus."""

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
