"""A fetched model as files: which of them matter, their hash, the licence they state.

Knows names of files, not what is in the weights.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from edgeward.errors import IntakeError, SourceError
from edgeward.pack import file_entry
from edgeward.quantize.intake.gguf_header import GgufHeader, read_header

UNKNOWN_LICENCE = "unknown"

# What of a Hugging Face folder makes the pack: the rest (read-me, other formats) changes nothing.
_MODEL_FILES = ("*.safetensors", "*.safetensors.index.json", "*.jinja")
SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.json",
)
_LICENCE_LINE = re.compile(r"^licen[sc]e:[ \t]*['\"]?([A-Za-z0-9][A-Za-z0-9._+-]{0,63})['\"]?\s*$")
_MAX_CARD = 1 << 20


def is_gguf(model: Path) -> bool:
    """Whether to read `model` as one GGUF file: anything that is no folder."""
    return not model.is_dir()


def model_files(folder: Path) -> list[Path]:
    """Files of a Hugging Face folder that a pack is made from, sorted by name."""
    found = {path for pattern in _MODEL_FILES for path in folder.glob(pattern)}
    found |= {folder / name for name in SETTINGS if (folder / name).is_file()}
    return sorted(found)


def model_sha256(model: Path) -> str:
    """Hash of a GGUF file; of a folder, that of its listing "<sha256>  <name>" a line, sorted.

    The listing is what `sha256sum` prints. Raises `SourceError` if a file cannot be read.
    """
    try:
        if is_gguf(model):
            return file_entry(model).sha256
        lines = [f"{file_entry(path).sha256}  {path.name}\n" for path in model_files(model)]
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def gguf_metadata(model: Path) -> dict[str, Any]:
    """Key-values of a GGUF file. Raises `IntakeError` for any other file."""
    return _header(model).metadata


def _header(model: Path) -> GgufHeader:
    try:
        content = np.memmap(model, np.uint8, mode="r")
    except ValueError:
        raise IntakeError(f"{model} is empty; fetch the file again.") from None
    except OSError as error:
        raise IntakeError(f"{model} cannot be read: {error.strerror}.") from None
    return read_header(model, content)


def count_weights(model: Path) -> int:
    """How many weights a model has: exact for GGUF, from the size at 16 bits each for a folder."""
    if is_gguf(model):
        return sum(math.prod(info.shape) for info in _header(model).tensors.values())
    try:
        return sum(path.stat().st_size for path in model.glob("*.safetensors")) // 2
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from error


def licence_of(model: Path) -> str:
    """The licence that the model's own files state, or "unknown"."""
    if is_gguf(model):
        stated = gguf_metadata(model).get("general.license")
        return stated if isinstance(stated, str) and stated else UNKNOWN_LICENCE
    return _card_licence(model / "README.md")


def _card_licence(card: Path) -> str:
    """`license: x` between the two `---` lines at the head of a Hugging Face model card."""
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_MAX_CARD).splitlines()
    except OSError:  # no card, or none that can be read: the folder states no licence
        return UNKNOWN_LICENCE
    if lines[:1] != ["---"]:
        return UNKNOWN_LICENCE
    for line in lines[1:]:
        if line == "---":
            break
        if found := _LICENCE_LINE.match(line):
            return found[1]
    return UNKNOWN_LICENCE
