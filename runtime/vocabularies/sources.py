"""What kind of file a vocabulary stands in, and its tokenizer.json.

Knows: the first bytes of each container. Does not know: their insides, chat templates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeward.errors import TokenizerError


@dataclass(frozen=True)
class Source:
    """A tokenizer.json and what else the file said: special tokens by name, a chat template."""

    tokenizer_json: bytes
    config: dict[str, Any] = field(default_factory=dict)
    chat_template: str | None = None


def is_container(path: Path) -> bool:
    """True for the files that `read` takes: SentencePiece's `.model` and GGUF."""
    return path.suffix in (".model", ".gguf")


def read(path: Path, content: bytes) -> Source:
    """The vocabulary in a `.model` or `.gguf` file.

    Raises TokenizerError for a damaged file and for kinds whose ids could not be given exactly.
    """
    if path.suffix == ".model":
        from . import sentencepiece

        model = sentencepiece.read(content)
        return Source(sentencepiece.tokenizer_json(model), sentencepiece.named_tokens(model))
    if path.suffix == ".gguf":
        return _gguf(path, content)
    raise TokenizerError(f"no vocabulary can be read from a file called *{path.suffix}")


def _gguf(path: Path, content: bytes) -> Source:
    import numpy as np

    from edgeward.errors import IntakeError

    from . import gguf, gguf_keys

    try:
        cursor = gguf_keys.Cursor(path, np.frombuffer(content, np.uint8))
        metadata, _ = gguf_keys.read_keys(cursor)
        text = gguf.tokenizer_json(path, metadata)
        config = {}
        for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
            if (token := gguf.token_text(path, metadata, f"{key}_token_id")) is not None:
                config[f"{name}_token"] = token
    except IntakeError as error:
        raise TokenizerError(str(error)) from error
    template = metadata.get("tokenizer.chat_template")
    return Source(text, config, template if isinstance(template, str) else None)
