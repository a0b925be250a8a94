"""The compiled form of a tokenizer.json: made once, then mapped instead of read.

Knows: what goes into the file and what it was made from. Does not know: its layout, which is in
docs/tokenizer.md and kernels/tokenizer/compiled.h.
"""

from __future__ import annotations

import hashlib
import json

from edgeward.errors import TokenizerError
from edgeward.kernels import _native


def compile_tokenizer(tokenizer_json: bytes) -> bytes | None:
    """The content of a `tokenizer.bin` for this tokenizer.json.

    None for a kind of model that has none; every kind does at present. Raises TokenizerError if the
    tokenizer.json is damaged.
    """
    try:
        tokenizer = _native.Tokenizer(tokenizer_json)
        document = json.loads(tokenizer_json.removeprefix(b"\xef\xbb\xbf"))
        model = document["model"]
        # What the tables hold is taken out, with the number that names an entry of them.
        for name in {"vocab", "merges"} & model.keys():
            model[name] = type(model[name])()
        if "unk_id" in model:
            model["unk_id"] = None
        rest = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return tokenizer.compile(rest, hashlib.sha256(tokenizer_json).digest()) or None
    except ValueError as error:
        raise TokenizerError(str(error)) from error
