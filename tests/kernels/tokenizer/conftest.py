"""Tokenizers for these tests: the real SmolLM2 file, and small ones made in code."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from bpe_file import bpe_model

from edgeward.kernels import _native

DATA = Path(__file__).resolve().parents[2] / "data"


def read_corpus() -> Iterator[tuple[str, str]]:
    for line in (DATA / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield entry["id"], entry["text"] if "text" in entry else entry["repeat"] * entry["n"]


@pytest.fixture(scope="session")
def corpus() -> dict[str, str]:
    return dict(read_corpus())


@pytest.fixture(scope="session")
def smollm2_json() -> bytes:
    return gzip.decompress((DATA / "tokenizers/smollm2-135m/tokenizer.json.gz").read_bytes())


@pytest.fixture(scope="session")
def smollm2(smollm2_json: bytes) -> _native.Tokenizer:
    return _native.Tokenizer(smollm2_json)


@pytest.fixture(scope="session")
def smollm2_reference(smollm2_json: bytes) -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_buffer(smollm2_json)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The large conformance data; tests that ask for it are skipped without."""
    folder = os.environ.get("EDGEWARD_DATA")
    if not folder:
        pytest.skip("EDGEWARD_DATA is not set")
    return Path(folder)


def byte_alphabet() -> list[str]:
    """The 256 byte-level characters in the order of their bytes."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(b) if b in kept else chr(next(others)) for b in range(256)]


@pytest.fixture(scope="session")
def make_json() -> Callable[..., dict[str, Any]]:
    """A byte-level BPE file of 256 bytes and a few merges; keyword arguments replace members."""

    def make(*, merges: tuple[str, ...] = (), drop: str = "", **members: Any) -> dict[str, Any]:
        tokens = [c for c in byte_alphabet() if c not in drop]
        tokens += dict.fromkeys(m.replace(" ", "") for m in merges)
        model = bpe_model({token: id for id, token in enumerate(tokens)}, merges)
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": model | members.pop("model", {}),
            **members,
        }

    return make


class Both:
    """A tokenizer file in both libraries."""

    def __init__(self, file: dict[str, Any]) -> None:
        text = json.dumps(file)
        self.ours = _native.Tokenizer(text.encode())
        self.reference = tokenizers.Tokenizer.from_str(text)

    def check(self, text: str) -> None:
        for special in (False, True):
            expected = self.reference.encode(text, add_special_tokens=special)
            assert self.ours.encode(text, special) == expected.ids, repr(text[:200])
            found = self.ours.encode_with_offsets(text, special)
            assert found == (expected.ids, expected.offsets), repr(text[:200])
            for skip in (False, True):
                assert self.ours.decode(expected.ids, skip) == self.reference.decode(
                    expected.ids, skip_special_tokens=skip
                )


@pytest.fixture(scope="session")
def both() -> Callable[[dict[str, Any]], Both]:
    return Both
