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
    raise TokenizerError(f"no vocabulary can be read from a file called *{path.suffix}")
