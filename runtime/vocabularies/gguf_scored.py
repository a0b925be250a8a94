"""SentencePiece vocabularies in GGUF files ("llama": BPE by scores).

Knows: GGUF's keys for them and what llama.cpp does where a file is silent. Does not know: other
kinds. Control and user-defined tokens written in a text are found in it, as llama.cpp finds them
when it is asked to parse special tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from edgeward.errors import IntakeError

from .scored_merges import merges_by_score

Json = dict[str, Any]
Metadata = Mapping[str, Any]
Damaged = Callable[[str], IntakeError]

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = range(1, 7)
_MARK = "\u2581"


def parts(metadata: Metadata, tokens: list[str], types: list[int], damaged: Damaged) -> Json:
    """`normalizer`, `pre_tokenizer`, `decoder`, `model` and `added_tokens` of a tokenizer.json."""
    scores = _scores(metadata, len(tokens), damaged)
    has_bytes = sum(kind == _BYTE for kind in types) == 256
    prefix = bool(metadata.get("tokenizer.ggml.add_space_prefix", True))
    return {
        "added_tokens": _added_tokens(metadata, tokens, types),
        "normalizer": _normalizer(prefix),
        "pre_tokenizer": None,
        "decoder": _decoder(prefix, has_bytes),
        "model": _bpe(metadata, tokens, types, scores, has_bytes, damaged),
    }


def _scores(metadata: Metadata, count: int, damaged: Damaged) -> list[float]:
    scores = metadata.get("tokenizer.ggml.scores")
    if not isinstance(scores, np.ndarray) or scores.dtype.kind != "f" or len(scores) != count:
        raise damaged(f"'tokenizer.ggml.scores' is no list of {count} numbers")
    if not np.isfinite(scores).all():
        raise damaged("'tokenizer.ggml.scores' holds a number that is not finite")
    found: list[float] = scores.tolist()
    return found


def _added_tokens(metadata: Metadata, tokens: Sequence[str], types: Sequence[int]) -> list[Json]:
    # llama.cpp knows these models by their name: their files lack the flag.
    name = str(metadata.get("general.name", "")).lower()
    swallows = "phi-3" in name or "phi3" in name
    keeps = ("<unk>", "<s>", "<|endoftext|>")
    return [
        {
            "id": number,
            "content": tokens[number],
            "single_word": False,
            "lstrip": False,
            "rstrip": swallows and tokens[number] not in keeps,
            "normalized": False,
            "special": kind != _USER_DEFINED,
        }
        for number, kind in enumerate(types)
        if kind in (_UNKNOWN, _CONTROL, _USER_DEFINED)
    ]


def _normalizer(prefix: bool) -> Json:
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": " "}, "content": _MARK}]
    if prefix:
        steps.insert(0, {"type": "Prepend", "prepend": _MARK})
    return {"type": "Sequence", "normalizers": steps}


def _decoder(prefix: bool, has_bytes: bool) -> Json:
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": _MARK}, "content": " "}]
    if has_bytes:
        steps.append({"type": "ByteFallback"})
    steps.append({"type": "Fuse"})
    if prefix:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}


def _unknown(metadata: Metadata, count: int, damaged: Damaged) -> int:
    number = metadata.get("tokenizer.ggml.unknown_token_id", 0)
    if not isinstance(number, int) or not 0 <= number < count:
        raise damaged(f"tokenizer.ggml.unknown_token_id is {number!r}, not an id below {count}")
    return number


def _bpe(
    metadata: Metadata,
    tokens: list[str],
    types: list[int],
    scores: list[float],
    has_bytes: bool,
    damaged: Damaged,
) -> Json:
    joined = {
        tokens[number]: number for number, kind in enumerate(types) if kind in (_NORMAL, _UNUSED)
    }
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": tokens[_unknown(metadata, len(tokens), damaged)],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": has_bytes,
        "ignore_merges": False,
        "vocab": {token: number for number, token in enumerate(tokens)},
        "merges_share_ranks": True,
        "merges": merges_by_score(joined, scores),
    }
