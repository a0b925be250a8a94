"""SentencePiece's `.model` files: what is in one, and the tokenizer.json that gives its ids.

Knows: the fields of `sentencepiece_model.proto` that decide ids. Does not know: how text is cut.
The ids are those of `SentencePieceProcessor.encode`: control symbols in a text are text like any
other, user-defined symbols are found in it, and nothing is added around it.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from edgeward.errors import TokenizerError

from .protobuf import fields
from .scored_merges import merges_by_score

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE = 1, 2
_KINDS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_MARK = "\u2581"
_MAX_PIECES = 1 << 24

Json = dict[str, Any]


@dataclass
class SentencePieceModel:
    """The parts of a `.model` file; defaults are those of the format."""

    pieces: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    model_type: int = UNIGRAM
    byte_fallback: bool = False
    suffix: bool = False
    charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    named: dict[str, int] = field(default_factory=lambda: {"unk": 0, "bos": 1, "eos": 2, "pad": -1})

    def of_type(self, *types: int) -> dict[str, int]:
        return {self.pieces[i]: i for i, kind in enumerate(self.types) if kind in types}


def read(content: bytes) -> SentencePieceModel:
    """Parse a `.model` file. Raises TokenizerError if it is damaged."""
    model = SentencePieceModel()
    for number, value in fields(memoryview(content)):
        if number == 1:
            _read_piece(model, _bytes(value))
        elif number == 2:
            _read_trainer(model, _bytes(value))
        elif number == 3:
            _read_normalizer(model, _bytes(value))
    if not model.pieces:
        raise TokenizerError("it holds no pieces: this is no SentencePiece model")
    if len(set(model.pieces)) != len(model.pieces):
        raise TokenizerError("damaged: a piece stands twice")
    return model


def tokenizer_json(model: SentencePieceModel) -> bytes:
    """A tokenizer.json with the ids of `model`. Raises TokenizerError for kinds not supported."""
    document: Json = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens(model),
        "normalizer": _normalizer(model),
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": _decoder(model),
        "model": _model(model),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def named_tokens(model: SentencePieceModel) -> dict[str, str]:
    """Special tokens by the names of tokenizer_config.json."""
    return {
        f"{name}_token": model.pieces[number]
        for name, number in model.named.items()
        if 0 <= number < len(model.pieces) and model.types[number] in (UNKNOWN, CONTROL)
    }


def _read_piece(model: SentencePieceModel, message: memoryview) -> None:
    piece, score, kind = "", 0.0, NORMAL
    for number, value in fields(message):
        if number == 1:
            piece = _text(value)
        elif number == 2 and isinstance(value, float):
            score = value
        elif number == 3 and isinstance(value, int):
            kind = value
    where = f"piece {len(model.pieces)}"
    if not piece or not math.isfinite(score) or not NORMAL <= kind <= BYTE:
        raise TokenizerError(f"{where} is damaged: {piece!r}, score {score}, type {kind}")
    if len(model.pieces) >= _MAX_PIECES:
        raise TokenizerError(f"it holds more than {_MAX_PIECES} pieces")
    model.pieces.append(piece)
    model.scores.append(score)
    model.types.append(kind)


def _read_trainer(model: SentencePieceModel, message: memoryview) -> None:
    names = {40: "unk", 41: "bos", 42: "eos", 43: "pad"}
    for number, value in fields(message):
        if number == 3:
            model.model_type = _int(value)
        elif number == 24:
            model.suffix = bool(_int(value))
        elif number == 35:
            model.byte_fallback = bool(_int(value))
        elif number in names:
            given = _int(value)
            model.named[names[number]] = given - (1 << 64) if given >> 63 else given


def _read_normalizer(model: SentencePieceModel, message: memoryview) -> None:
    for number, value in fields(message):
        if number == 2:
            model.charsmap = bytes(_bytes(value))
        elif number == 3:
            model.add_dummy_prefix = bool(_int(value))
        elif number == 4:
            model.remove_extra_whitespaces = bool(_int(value))
        elif number == 5:
            model.escape_whitespaces = bool(_int(value))


def _added_tokens(model: SentencePieceModel) -> list[Json]:
    return [
        {
            "id": number,
            "content": model.pieces[number],
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": True,
            "special": kind != USER_DEFINED,
            "lookup": "verbatim" if kind == USER_DEFINED else "never",
        }
        for number, kind in enumerate(model.types)
        if kind in (UNKNOWN, CONTROL, USER_DEFINED)
    ]


def _normalizer(model: SentencePieceModel) -> Json | None:
    plain = not model.charsmap and not model.remove_extra_whitespaces
    if not plain or model.suffix or not model.escape_whitespaces:
        return {
            "type": "SentencePiece",
            "precompiled_charsmap": base64.b64encode(model.charsmap).decode(),
            "add_dummy_prefix": model.add_dummy_prefix,
            "remove_extra_whitespaces": model.remove_extra_whitespaces,
            "escape_whitespaces": model.escape_whitespaces,
            "treat_whitespace_as_suffix": model.suffix,
            "user_defined_symbols": list(model.of_type(USER_DEFINED)),
        }
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": " "}, "content": _MARK}]
    if model.add_dummy_prefix:
        steps.insert(0, {"type": "Prepend", "prepend": _MARK})
    return {"type": "Sequence", "normalizers": steps}


def _decoder(model: SentencePieceModel) -> Json:
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": _MARK}, "content": " "}]
    if model.byte_fallback:
        steps.append({"type": "ByteFallback"})
    steps.append({"type": "Fuse"})
    if model.add_dummy_prefix:
        start, stop = (0, 1) if model.suffix else (1, 0)
        steps.append({"type": "Strip", "content": " ", "start": start, "stop": stop})
    return {"type": "Sequence", "decoders": steps}


def _model(model: SentencePieceModel) -> Json:
    unknown = list(model.of_type(UNKNOWN))
    if len(unknown) != 1:
        raise TokenizerError(f"it has {len(unknown)} unknown pieces; it must have one")
    if model.byte_fallback and len(model.of_type(BYTE)) != 256:
        raise TokenizerError(f"it has {len(model.of_type(BYTE))} byte pieces; it must have 256")
    if model.model_type != BPE:
        kind = _KINDS.get(model.model_type, str(model.model_type))
        raise TokenizerError(
            f"models of the type {kind!r} are not supported, only 'bpe'; "
            f"take the model's tokenizer.json"
        )
    if model.of_type(UNUSED):
        raise TokenizerError("BPE models with unused pieces are not supported")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unknown[0],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": model.byte_fallback,
        "ignore_merges": False,
        "vocab": {piece: number for number, piece in enumerate(model.pieces)},
        "merges_share_ranks": True,
        "merges": merges_by_score(model.of_type(NORMAL, USER_DEFINED), model.scores),
    }


def _bytes(value: object) -> memoryview:
    if not isinstance(value, memoryview):
        raise TokenizerError("damaged: a number stands where a message is expected")
    return value


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TokenizerError("damaged: a message stands where a number is expected")
    return value


def _text(value: object) -> str:
    try:
        return bytes(_bytes(value)).decode("utf-8")
    except UnicodeDecodeError:
        raise TokenizerError("damaged: a piece is not UTF-8") from None
