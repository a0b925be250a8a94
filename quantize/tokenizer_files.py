"""What of a model's files a request needs besides weights: tokenizer, chat template, defaults.

Knows where a GGUF file and a Hugging Face folder keep them; cuts no text and renders no template.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward import manifest
from edgeward.errors import IntakeError
from edgeward.vocabularies import gguf as tokenizer_gguf

from .model_files import is_gguf

# Special tokens by which chat models end a turn or a text, whatever their settings list.
ENDS = (
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
)

_MAX_FILE = 256 * 1024 * 1024
_TOKEN_NAMES = ("bos_token", "eos_token", "pad_token", "unk_token")


@dataclass(frozen=True)
class TokenizerFiles:
    """`tokenizer` is a tokenizer.json; `chat_template` is Jinja, None for a model without one."""

    tokenizer: bytes
    chat_template: str | None
    generation: manifest.Generation


def collect(model: Path, metadata: Mapping[str, Any]) -> TokenizerFiles:
    """Tokenizer, template and defaults of a GGUF file or a Hugging Face folder.

    `metadata` is what the model's intake found: GGUF key-values, or config.json.
    Raises `IntakeError` when one is damaged, or the tokenizer missing or of an unknown kind.
    """
    return _from_gguf(model, metadata) if is_gguf(model) else _from_folder(model, metadata)


def _from_gguf(path: Path, metadata: Mapping[str, Any]) -> TokenizerFiles:
    tokenizer = tokenizer_gguf.tokenizer_json(path, metadata)
    named = [tokenizer_gguf.token_id(path, metadata, f"{key}_token_id") for key in ("eos", "eot")]
    template = metadata.get("tokenizer.chat_template")
    if template is not None and not isinstance(template, str):
        raise IntakeError(f"{path}: 'tokenizer.chat_template' is no text. Fetch the file again.")
    names = {
        name: tokenizer_gguf.token_text(path, metadata, f"{key}_token_id")
        for name, key in zip(_TOKEN_NAMES, ("bos", "eos", "padding", "unknown"), strict=True)
    }
    stops = _stop_ids(named, tokenizer_gguf.special_tokens(path, metadata))
    return TokenizerFiles(
        tokenizer, _with_names(template, names), manifest.Generation(stop_ids=stops)
    )


def _from_folder(folder: Path, metadata: Mapping[str, Any]) -> TokenizerFiles:
    path = folder / "tokenizer.json"
    tokenizer = tokenizer_json(folder)
    special = _special_tokens(path, _json(path, tokenizer))
    config = _settings(folder / "tokenizer_config.json")
    names = {name: _token_text(config.get(name)) for name in _TOKEN_NAMES}
    settings = {**metadata, **_settings(folder / "generation_config.json")}
    listed = settings.get("eos_token_id")
    named = [
        *(listed if isinstance(listed, list) else [listed]),
        special.get(names["eos_token"] or ""),
    ]
    return TokenizerFiles(
        tokenizer,
        _with_names(_folder_template(folder, config), names),
        _generation(folder, settings, _stop_ids(named, special)),
    )


def tokenizer_json(folder: Path) -> bytes:
    """The folder's tokenizer.json; `IntakeError` if there is none."""
    tokenizer = _read(folder / "tokenizer.json")
    if tokenizer is None:
        raise IntakeError(
            f"{folder} has no tokenizer.json; save the model's fast tokenizer there "
            f"(`AutoTokenizer.from_pretrained(...).save_pretrained(...)` of transformers)."
        )
    return tokenizer


def _generation(folder: Path, settings: Mapping[str, Any], stops: list[int]) -> manifest.Generation:
    """The makers' advice: sampling settings count only where they say that they sample."""

    def number(key: str) -> Any:
        value = settings.get(key)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise IntakeError(
                f"{folder / 'generation_config.json'}: '{key}' is {value!r}, not a number."
            )
        return value

    sampled = settings.get("do_sample") is True
    top_k = number("top_k") if sampled else None
    penalty = number("repetition_penalty")
    return manifest.Generation(
        stop_ids=stops,
        temperature=_float(number("temperature")) if sampled else None,
        top_p=_float(number("top_p")) if sampled else None,
        top_k=None if top_k is None else int(top_k),
        repetition_penalty=_float(penalty),
    )


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _stop_ids(named: Iterable[object], special: Mapping[str, int]) -> list[int]:
    """Ids that end an answer: those the files name, and the special tokens known to end one."""
    stops = {number for number in named if isinstance(number, int) and number >= 0}
    return sorted(stops | {special[text] for text in ENDS if text in special})


def _special_tokens(path: Path, tokenizer: Mapping[str, Any]) -> dict[str, int]:
    added = tokenizer.get("added_tokens", [])
    if not isinstance(tokenizer.get("model"), dict) or not isinstance(added, list):
        raise IntakeError(f"{path} is no tokenizer file: it has no 'model'. Fetch it again.")
    special = {}
    for token in added:
        text, number = (
            (token.get("content"), token.get("id")) if isinstance(token, dict) else 2 * (None,)
        )
        if not isinstance(text, str) or not isinstance(number, int):
            raise IntakeError(f"{path}: the added token {token!r} is damaged. Fetch it again.")
        if token.get("special"):
            special[text] = number
    return special


def _folder_template(folder: Path, config: Mapping[str, Any]) -> str | None:
    """The default chat template, from the newest of the places where makers keep it."""
    file = folder / "chat_template.jinja"
    if (raw := _read(file)) is not None:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise IntakeError(f"{file} is not UTF-8. Fetch it again.") from None
    template = _settings(folder / "chat_template.json").get("chat_template")
    template = config.get("chat_template") if template is None else template
    if isinstance(template, list):  # several, by name
        named = {t.get("name"): t.get("template") for t in template if isinstance(t, dict)}
        template = named.get("default")
    if template is not None and not isinstance(template, str):
        raise IntakeError(f"{folder}: the chat template is no text. Fetch the files again.")
    return template


def _with_names(template: str | None, names: Mapping[str, str | None]) -> str | None:
    """The template with the special tokens that it names set in front, so that it stands alone.

    `+%}` keeps the template's first newline where blocks are trimmed.
    """
    if template is None:
        return None
    used = [n for n, text in names.items() if text and re.search(rf"\b{n}\b", template)]
    sets = [f"{{% set {n} = {json.dumps(names[n], ensure_ascii=False)} +%}}" for n in used]
    return "".join(sets) + template


def _token_text(value: object) -> str | None:
    """A token in tokenizer_config.json: a text, or an object with its content and flags."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _settings(path: Path) -> dict[str, Any]:
    raw = _read(path)
    return {} if raw is None else _json(path, raw)


def _json(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"{path} is damaged: {error}. Fetch it again.") from None
    if not isinstance(value, dict):
        raise IntakeError(f"{path} holds no JSON object. Fetch it again.")
    return value


def _read(path: Path) -> bytes | None:
    """The whole file, or None if there is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IntakeError(f"{path} cannot be read: {error.strerror}.") from None
    if len(raw) > _MAX_FILE:
        raise IntakeError(f"{path} is over {_MAX_FILE} bytes, which no such file is.")
    return raw
