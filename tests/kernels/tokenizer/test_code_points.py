"""Every code point in three contexts against `tokenizers`, for every file: ids and offsets.

EDGEWARD_CORPUS=full takes all 1,112,064 of them, otherwise a prime stride does. Slow.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tokenizers

from edgeward.kernels import _native

STRIDE = 1 if os.environ.get("EDGEWARD_CORPUS") == "full" else 131
CONTEXTS = ("{0}", "a{0}b", " {0} {0}")
SURROGATES = range(0xD800, 0xE000)


def names() -> list[str]:
    folder = os.environ.get("EDGEWARD_DATA")
    if not folder:
        return ["no data"]
    return sorted(p.parent.name for p in Path(folder, "tokenizers").glob("*/tokenizer.json"))


def differences(data: bytes, codes: list[int]) -> list[str]:
    ours = _native.Tokenizer(data)
    reference = tokenizers.Tokenizer.from_buffer(data)
    reference.no_padding()
    wrong = []
    for first in range(0, len(codes), 4096):
        characters = [chr(c) for c in codes[first : first + 4096] if c not in SURROGATES]
        texts = [context.format(c) for c in characters for context in CONTEXTS]
        batch = reference.encode_batch(texts, add_special_tokens=False)
        for text, expected in zip(texts, batch, strict=True):
            found = ours.encode_with_offsets(text, False)
            padding = len(found[0]) - len(expected.ids)
            if padding > 0:  # the file's own padding, which the batch would make the same for all
                found = found[0][:-padding], found[1][:-padding]
            if found != (expected.ids, expected.offsets):
                wrong.append(text)
    return wrong


@pytest.mark.corpus
@pytest.mark.parametrize("name", names())
def test_every_code_point_in_three_contexts(name, data_folder):
    data = (data_folder / "tokenizers" / name / "tokenizer.json").read_bytes()
    wrong = differences(data, list(range(0, 0x110000, STRIDE)))
    assert wrong == [], f"{len(wrong)} texts"
