"""BERT's vocabularies in GGUF files: WordPiece, with the start of a word marked, not its middle.

Knows: how llama.cpp's converter rewrote the vocabulary. Does not know: other kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

_UNKNOWN, _CONTROL = 2, 3
_MARK = "\u2581"
_MIDDLE = "##"


def original(token: str) -> str:
    """A token as BERT's own vocabulary spells it.

    >>> original("\u2581the"), original("ing"), original("[CLS]")
    ('the', '##ing', '[CLS]')
    """
    if token.startswith("[") and token.endswith("]") and len(token) > 2:
        return token
    return token[1:] if token.startswith(_MARK) else _MIDDLE + token


def parts(tokens: Sequence[str], types: Sequence[int], unknown: str) -> Json:
    """`normalizer`, `pre_tokenizer`, `decoder`, `model` and `added_tokens` of a tokenizer.json.

    GGUF does not say whether a model is cased; llama.cpp lowers every text, and so does this.
    """
    return {
        "added_tokens": [
            {
                "id": number,
                "content": original(tokens[number]),
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, kind in enumerate(types)
            if kind in (_UNKNOWN, _CONTROL)
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": _MIDDLE, "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": unknown,
            "continuing_subword_prefix": _MIDDLE,
            "max_input_chars_per_word": 100,
            "vocab": {original(token): number for number, token in enumerate(tokens)},
        },
    }
