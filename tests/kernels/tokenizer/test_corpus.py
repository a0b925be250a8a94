"""The conformance corpus against `tokenizers`, for every file: ids, offsets, texts, streams.

A stride keeps it short; EDGEWARD_CORPUS=full takes every text for every file (half an hour a core).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tokenizers

from edgeward.kernels import _native
from edgeward.kernels._text import Detokenizer, TokenTable

# Folders of the data that hold no tokenizer.json, and what they hold.
OTHERS = {"gguf-vocab": "vocabularies as GGUF"}

# The reference takes memory with the square of a run of white space here (22 GB for 1 MB): each of
# this file's tokens of spaces is widened to the end of the run.
GREEDY = "synth-addedtokens-lower"
LONG_BLANK = re.compile(r"\s{10000}")

# This one is read on all of the corpus in any case.
WHOLE = "smollm2-135m"
STRIDE = 1 if os.environ.get("EDGEWARD_CORPUS") == "full" else 17


def names() -> list[str]:
    """Every folder, found when the tests are collected; none without the data."""
    folder = os.environ.get("EDGEWARD_DATA")
    if not folder:
        return ["no data"]
    found = sorted(path.name for path in Path(folder, "tokenizers").iterdir() if path.is_dir())
    assert set(OTHERS) <= set(found)
    return found


def texts(corpus: Path) -> Iterator[tuple[str, str]]:
    def read(file: Path) -> str:
        with file.open(encoding="utf-8", newline="") as stream:
            return stream.read()

    for file in sorted(corpus.glob("udhr/*.txt")):
        text = read(file)
        yield file.stem, text
        for number, line in enumerate(text.split("\n")):
            yield f"{file.stem}:{number}", line
    for file in (*sorted(corpus.glob("*.txt")), *sorted(corpus.glob("code/*.txt"))):
        text = read(file)
        for at in range(0, len(text), 4000):
            yield f"{file.stem}@{at}", text[at : at + 4000]
    for file in sorted(corpus.glob("*.jsonl")):
        for line in read(file).split("\n"):
            if line:
                entry = json.loads(line)
                text = entry["text"] if "text" in entry else entry["repeat"] * entry["n"]
                yield entry["id"], text


@pytest.mark.corpus
@pytest.mark.parametrize("name", names())
def test_every_text_of_the_corpus(name, data_folder):
    if name in OTHERS:
        pytest.skip(f"holds {OTHERS[name]}")
    data = (data_folder / "tokenizers" / name / "tokenizer.json").read_bytes()
    ours = _native.Tokenizer(data)
    reference = tokenizers.Tokenizer.from_buffer(data)
    table = TokenTable(ours)
    every = 1 if name == WHOLE else STRIDE
    wrong = []
    for number, (id, text) in enumerate(texts(data_folder / "corpus")):
        if number % every or (name == GREEDY and LONG_BLANK.search(text)):
            continue
        expected = reference.encode(text)
        found = ours.encode_with_offsets(text)
        decoded = ours.decode(found[0], False)
        stream = Detokenizer(table, skip_special_tokens=False)
        pieces = [stream.push(i) for i in found[0]]
        if (
            found != (expected.ids, expected.offsets)
            or ours.encode(text) != expected.ids
            or decoded != reference.decode(expected.ids, skip_special_tokens=False)
            or "".join([*pieces, stream.finish()]) != decoded
        ):
            wrong.append(id)
    assert wrong == []
