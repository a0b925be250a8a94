"""What lies beside a tokenizer.json: what its special tokens are called, and its chat templates.

Knows: `tokenizer_config.json` and `chat_template.jinja`, and how model families call the end of a
turn. Does not know: ids, how a template is rendered (chat_template).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import TemplateError, TokenizerError

if TYPE_CHECKING:
    from .chat_template import ChatTemplate

MAX_FILE = 1 << 30  # bytes; the largest tokenizer.json in use has 35 MB

# How model families call the end of a turn. Asked of special tokens only.
END_OF_TURN = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "</s>",
)

NAMED_TOKENS = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


class TokenizerConfig:
    """The settings of a tokenizer that its tokenizer.json does not hold.

    Args:
        settings: the parsed `tokenizer_config.json`.
        chat_template: Jinja source; from the settings if None.
    """

    def __init__(self, settings: Mapping[str, Any], chat_template: str | None) -> None:
        self.settings = dict(settings)
        self.chat_template = chat_template
        self._compiled: dict[str, ChatTemplate] = {}

    @classmethod
    def beside(cls, folder: Path) -> TokenizerConfig:
        """The files of `folder`, where they exist. Raises TokenizerError for a damaged one."""
        config_file = folder / "tokenizer_config.json"
        template_file = folder / "chat_template.jinja"
        settings = _parse(config_file) if config_file.is_file() else {}
        if not template_file.is_file():
            return cls(settings, None)
        return cls(settings, read_file(template_file).decode("utf-8", "replace"))

    def over(self, settings: Mapping[str, Any], chat_template: str | None) -> TokenizerConfig:
        """This, and of the given ones what this does not say."""
        return TokenizerConfig({**settings, **self.settings}, self.chat_template or chat_template)

    @cached_property
    def named_tokens(self) -> dict[str, str]:
        """Special tokens by the names chat templates use: `bos_token`, `eos_token`, ..."""
        named = {}
        for name in NAMED_TOKENS:
            value = self.settings.get(f"{name}_token")
            if isinstance(value, Mapping):
                value = value.get("content")
            if isinstance(value, str):
                named[f"{name}_token"] = value
        return named

    @cached_property
    def sources(self) -> dict[str, str]:
        """Chat templates by name; a model may have a second one for tools."""
        if self.chat_template is not None:
            return {"default": self.chat_template}
        value = self.settings.get("chat_template")
        if isinstance(value, str):
            return {"default": value}
        named = {}
        for entry in value if isinstance(value, list) else []:
            if isinstance(entry, Mapping) and isinstance(entry.get("template"), str):
                named[str(entry.get("name"))] = entry["template"]
        return named

    def template(self, with_tools: bool) -> ChatTemplate:
        """The template to render with. Raises TemplateError if there is none."""
        from .chat_template import ChatTemplate

        name = "tool_use" if with_tools and "tool_use" in self.sources else "default"
        if name not in self.sources:
            raise TemplateError(
                "this model has no chat template; give a prompt to generate() instead, or put a "
                "chat_template.jinja beside its tokenizer.json"
            )
        # Two threads may both compile it; the result is the same.
        template = self._compiled.get(name)
        if template is None:
            template = self._compiled[name] = ChatTemplate(self.sources[name])
        return template


def read_file(file: Path) -> bytes:
    """The content of a file of at most MAX_FILE bytes. Raises TokenizerError."""
    try:
        size = file.stat().st_size
        if size > MAX_FILE:
            raise TokenizerError(f"{file} has {size} bytes; the limit is {MAX_FILE}")
        return file.read_bytes()
    except OSError as error:
        raise TokenizerError(f"cannot read {file}: {error.strerror or error}") from error


def _parse(file: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(read_file(file))
    except (ValueError, RecursionError) as error:
        raise TokenizerError(f"{file} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise TokenizerError(f"{file} must hold an object, not {type(value).__name__}")
    return value
