"""What tests/fuzz/tokenizer_fuzz.py has found, each once more."""

from __future__ import annotations

import itertools
import json

import pytest

from edgeward.kernels import _native

FLAGS = list(itertools.product((False, True), repeat=2))


def added(content: str, number: int, lstrip: bool, rstrip: bool):
    return {
        "id": number,
        "content": content,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": rstrip,
        "normalized": False,
        "special": False,
    }


@pytest.mark.parametrize(("lstrip", "rstrip"), FLAGS)
def test_white_space_that_the_last_token_took_makes_no_token_of_its_own(
    lstrip, rstrip, make_json, both
):
    pair = both(make_json(added_tokens=[added("  ", 256, lstrip, rstrip)]))
    for text in ("    ", "      ", "a    b", "     b", "\n    \n"):
        pair.check(text)


def test_a_token_never_ends_before_the_last_one(make_json):
    """The reference panics here: "AddedVocabulary bad split"."""
    tokens = [added("  ", 256, True, False), added("<R>", 257, True, True)]
    tokenizer = _native.Tokenizer(json.dumps(make_json(added_tokens=tokens)).encode())
    ids, offsets = tokenizer.encode_with_offsets("x<R>    y")
    assert ids == [120, 257, 121]
    assert offsets == [(0, 1), (1, 8), (8, 9)]
    assert tokenizer.encode("x<R>    y") == ids
