"""The whole conformance corpus against `tokenizers`: ids, offsets, texts, streams. Slow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tokenizers

from edgeward.kernels import _native
from edgeward.kernels._text import Detokenizer, TokenTable

# Files of the corpus' tokenizers that load; the first on all of the corpus, others on a part.
SUPPORTED = (
    "smollm2-135m",
    "gpt2",
    "phi-2",
    "falcon",
    "whisper-large-v3",
    "roberta-base",
    "gpt-neox",
    "cl100k",
    "gpt-oss-o200k",
    "qwen3",
    "mistral-tekken",
    "synth-bpe-deepseek-style",
    "mistral-v1",
    "mistral-v3",
    "phi-3-mini",
    "synth-spm-gemma-style",
    "bert-base-cased",
    "bert-base-uncased",
    "minilm-l6-v2",
    "synth-wordpiece-multi-cased",
)


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
@pytest.mark.parametrize("name", SUPPORTED)
def test_every_text_of_the_corpus(name, data_folder):
    data = (data_folder / "tokenizers" / name / "tokenizer.json").read_bytes()
    ours = _native.Tokenizer(data)
    reference = tokenizers.Tokenizer.from_buffer(data)
    table = TokenTable(ours)
    every = 1 if name == SUPPORTED[0] else 17
    wrong = []
    for number, (id, text) in enumerate(texts(data_folder / "corpus")):
        if number % every:
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
