"""The vocabulary in a GGUF file as a tokenizer.json.

Knows GGUF's keys and Hugging Face's file format. Byte-level BPE gives the ids of the model's own
tokenizer.json. The other kinds ("llama", "bert") give those of llama.cpp: their files lack
what more would need (normalizer, flags of added tokens).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeward.errors import IntakeError

from . import gguf_scored, gguf_wordpiece
from .pretokenizers import PRETOKENIZERS, Json, Pretokenizer, byte_level

BYTE_LEVEL, SENTENCEPIECE, WORDPIECE = "gpt2", "llama", "bert"
KINDS = (BYTE_LEVEL, SENTENCEPIECE, WORDPIECE)

# tokenizer.ggml.token_type
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_SPECIAL = (_UNKNOWN, _CONTROL)
_ADDED = (*_SPECIAL, _USER_DEFINED)


def tokenizer_json(path: Path, metadata: Mapping[str, Any]) -> bytes:
    """A tokenizer.json for the GGUF file `path` with these key-values.

    Raises `IntakeError` if the file has no vocabulary, a damaged one, or one of another kind.
    """
    kind = _kind(path, metadata)
    tokens, types = _vocabulary(path, metadata)
    if kind == BYTE_LEVEL:
        parts = _byte_level(path, metadata, tokens, types)
    elif kind == WORDPIECE:
        unknown = token_text(path, metadata, "unknown_token_id") or "[UNK]"
        parts = gguf_wordpiece.parts(tokens, types, unknown)
        tokens = [gguf_wordpiece.original(token) for token in tokens]
        parts["post_processor"] = _around(path, metadata, None, tokens, ("cls", "seperator"), True)
    else:
        parts = gguf_scored.parts(metadata, tokens, types, lambda what: _damaged(path, what))
        parts["post_processor"] = _around(path, metadata, None, tokens, ("bos", "eos"), True)
    if len(set(tokens)) != len(tokens) and kind != BYTE_LEVEL:
        raise _damaged(path, "a token occurs twice")
    document = {"version": "1.0", "truncation": None, "padding": None, **parts}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _byte_level(
    path: Path, metadata: Mapping[str, Any], tokens: list[str], types: list[int]
) -> dict[str, Any]:
    row = _pretokenizer(path, metadata)
    vocabulary = {token: number for number, token in enumerate(tokens) if types[number] != _UNUSED}
    if len(vocabulary) != sum(kind != _UNUSED for kind in types):
        raise _damaged(path, "a token occurs twice")
    return {
        "added_tokens": [
            _added(number, tokens[number], kind in _SPECIAL)
            for number, kind in enumerate(types)
            if kind in _ADDED
        ],
        "normalizer": row.normalizer,
        "pre_tokenizer": row.steps,
        "post_processor": _around(path, metadata, row.post, tokens, ("bos", "eos"), row.bos),
        "decoder": byte_level(regex=True, prefix=True),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": row.ignore_merges,
            "vocab": vocabulary,
            "merges": _merges(path, metadata, vocabulary),
        },
    }


def special_tokens(path: Path, metadata: Mapping[str, Any]) -> dict[str, int]:
    """Text and id of every special token (control tokens, and the unknown token)."""
    tokens, types = _vocabulary(path, metadata)
    return {tokens[number]: number for number, kind in enumerate(types) if kind in _SPECIAL}


def token_text(path: Path, metadata: Mapping[str, Any], key: str) -> str | None:
    """Text of the token that `tokenizer.ggml.<key>` names, or None if the file names none."""
    number = token_id(path, metadata, key)
    return None if number is None else str(metadata["tokenizer.ggml.tokens"][number])


def token_id(path: Path, metadata: Mapping[str, Any], key: str) -> int | None:
    """The id `tokenizer.ggml.<key>`, checked against the vocabulary; None if the file has none."""
    number = metadata.get(f"tokenizer.ggml.{key}")
    if number is None:
        return None
    size = len(metadata["tokenizer.ggml.tokens"])
    if not isinstance(number, int) or not 0 <= number < size:
        raise _damaged(path, f"tokenizer.ggml.{key} is {number!r}, not an id below {size}")
    return number


def _kind(path: Path, metadata: Mapping[str, Any]) -> str:
    model = metadata.get("tokenizer.ggml.model")
    if model is None:
        raise IntakeError(
            f"{path} holds no tokenizer (no 'tokenizer.ggml.model'); take another GGUF file of "
            f"the model, or its Hugging Face folder with tokenizer.json."
        )
    if model not in KINDS:
        raise IntakeError(
            f"{path}: tokenizers of the kind {model!r} cannot be taken from a GGUF file, only "
            f"{', '.join(map(repr, KINDS))}. Pull the model's Hugging Face folder, whose "
            f"tokenizer.json says all."
        )
    return str(model)


def _pretokenizer(path: Path, metadata: Mapping[str, Any]) -> Pretokenizer:
    name = metadata.get("tokenizer.ggml.pre")
    if name is None and metadata.get("general.architecture") == "gptneox":
        name = "mpt"  # files from before the key was made; MPT took GPT-NeoX's tokenizer
    row = PRETOKENIZERS.get(name) if isinstance(name, str) else None
    if row is None:
        raise IntakeError(
            f"{path}: the pre-tokenizer {name!r} ('tokenizer.ggml.pre') is not known; known are "
            f"{', '.join(PRETOKENIZERS)}. Pull the model's Hugging Face folder instead."
        )
    return row


def _vocabulary(path: Path, metadata: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    tokens = metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], str):
        raise _damaged(path, "'tokenizer.ggml.tokens' is no list of texts")
    types = metadata.get("tokenizer.ggml.token_type")
    if types is None:
        types = np.full(len(tokens), _NORMAL)
    if not isinstance(types, np.ndarray) or types.dtype.kind not in "iu":
        raise _damaged(path, "'tokenizer.ggml.token_type' is no list of types")
    numbers: list[int] = types.tolist()
    if len(numbers) != len(tokens):
        raise _damaged(path, f"{len(tokens)} tokens have {len(numbers)} types")
    for number, kind in enumerate(numbers):
        if not _NORMAL <= kind <= _BYTE:
            raise _damaged(path, f"token {number} has the type {kind}; there are 1 to 6")
    return tokens, numbers


def _merges(path: Path, metadata: Mapping[str, Any], vocabulary: dict[str, int]) -> list[list[str]]:
    merges = metadata.get("tokenizer.ggml.merges")
    if not isinstance(merges, list):
        raise _damaged(path, "'tokenizer.ggml.merges' is missing")
    pairs = []
    for merge in merges:
        left, space, right = str(merge).partition(" ")
        if not (space and left in vocabulary and right in vocabulary):
            raise _damaged(path, f"the merge {merge!r} does not join two tokens")
        if left + right not in vocabulary:
            raise _damaged(path, f"the merge {merge!r} gives no token")
        pairs.append([left, right])
    return pairs


def _added(number: int, content: str, special: bool) -> Json:
    return {
        "id": number,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }


def _around(
    path: Path,
    metadata: Mapping[str, Any],
    own: Json | None,
    tokens: list[str],
    names: tuple[str, str],
    default: bool,
) -> Json | None:
    """`own`, and the begin or end token around each text where the model wants one.

    `names` are those of the two tokens in the file, `default` whether the first is wanted when the
    file does not say; BERT's second is its separator, which then is wanted, too.
    """
    before = _wanted(path, metadata, names[0], "bos", default)
    after = _wanted(path, metadata, names[1], "eos", default and names[1] != "eos")
    if before is None and after is None:
        return own
    around = [number for number in (before, after) if number is not None]
    text: Json = {"Sequence": {"id": "A", "type_id": 0}}
    second: Json = {"Sequence": {"id": "B", "type_id": 1}}

    def wrapped(middle: Json, kind: int) -> list[Json]:
        def token(number: int | None) -> list[Json]:
            return (
                []
                if number is None
                else [{"SpecialToken": {"id": tokens[number], "type_id": kind}}]
            )

        return [*token(before), middle, *token(after)]

    template = {
        "type": "TemplateProcessing",
        "single": wrapped(text, 0),
        "pair": [*wrapped(text, 0), *wrapped(second, 1)],
        "special_tokens": {
            tokens[number]: {"id": tokens[number], "ids": [number], "tokens": [tokens[number]]}
            for number in around
        },
    }
    if own is None:
        return template
    return {"type": "Sequence", "processors": [own, template]}


def _wanted(
    path: Path, metadata: Mapping[str, Any], token: str, which: str, default: bool
) -> int | None:
    number = token_id(path, metadata, f"{token}_token_id")
    wanted = metadata.get(f"tokenizer.ggml.add_{which}_token", default)
    return number if wanted else None


def _damaged(path: Path, what: str) -> IntakeError:
    return IntakeError(f"{path}: the vocabulary is damaged: {what}. Fetch the file again.")
