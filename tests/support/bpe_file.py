"""The model of a BPE file with every member that the reference writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def bpe_model(vocab: dict[str, int], merges: Sequence[Any], **members: Any) -> dict[str, Any]:
    """`members` replace or join those of a model that does nothing special."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": vocab,
        "merges": list(merges),
        **members,
    }
