"""How each byte-level BPE cuts text before merging: what GGUF's `tokenizer.ggml.pre` stands for.

A GGUF file holds only the name of its pre-tokenizer. A row says what the model's own
tokenizer.json holds under that name; a name without a row is refused, because a wrong cut gives
plausible text and wrong ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Mistral's: case-aware words, single digits, slashes stay with the punctuation before them.
_TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(*, regex: bool, trim_offsets: bool = True, prefix: bool = False) -> Json:
    """A ByteLevel step; `regex` makes it cut as GPT-2 does before mapping bytes to characters."""
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix,
        "trim_offsets": trim_offsets,
        "use_regex": regex,
    }


def _split(pattern: str) -> Json:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }


def _digits(*, individual: bool) -> Json:
    return {"type": "Digits", "individual_digits": individual}


def _sequence(*steps: Json) -> Json:
    return {"type": "Sequence", "pretokenizers": list(steps)}


@dataclass(frozen=True)
class Pretokenizer:
    """Parts of a tokenizer.json: `normalizer`, `steps`, `post`, and two facts beside them.

    `ignore_merges`: a piece that is in the vocabulary is taken whole. `bos`: whether the model
    wants its begin-of-text token when its GGUF file does not say.
    """

    steps: Json
    normalizer: Json | None = None
    post: Json | None = None
    ignore_merges: bool = False
    bos: bool = False


_GPT2_POST = byte_level(regex=True, trim_offsets=False, prefix=True)
_PLAIN_POST = byte_level(regex=False, trim_offsets=False)

PRETOKENIZERS: dict[str, Pretokenizer] = {
    "gpt-2": Pretokenizer(byte_level(regex=True), post=_GPT2_POST),
    "mpt": Pretokenizer(byte_level(regex=True), normalizer={"type": "NFC"}, post=_GPT2_POST),
    "smollm": Pretokenizer(_sequence(_digits(individual=True), byte_level(regex=True))),
    "starcoder": Pretokenizer(_sequence(_digits(individual=True), byte_level(regex=True))),
    "falcon": Pretokenizer(
        _sequence(
            {"type": "Punctuation", "behavior": "Contiguous"},
            byte_level(regex=True),
            _digits(individual=False),
            _split("[0-9][0-9][0-9]"),
        )
    ),
    "llama-bpe": Pretokenizer(
        _sequence(_split(_WORDS % r"\p{N}{1,3}"), byte_level(regex=False)),
        post=byte_level(regex=True, trim_offsets=False, prefix=True),
        ignore_merges=True,
        bos=True,
    ),
    "qwen2": Pretokenizer(
        _sequence(_split(_WORDS % r"\p{N}"), byte_level(regex=False, trim_offsets=False)),
        normalizer={"type": "NFC"},
        post=_PLAIN_POST,
    ),
    "tekken": Pretokenizer(
        _sequence(_split(_TEKKEN), byte_level(regex=False)),
        ignore_merges=True,
        bos=True,
    ),
}
