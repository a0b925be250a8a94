"""A fetched model as files: which of them matter, their hash, the licence they state.

Knows names of files, not what is in the weights.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeward.errors import SourceError
from edgeward.pack import file_entry

UNKNOWN_LICENCE = "unknown"

# What of a Hugging Face folder makes the pack: the rest (read-me, other formats) changes nothing.
_MODEL_FILES = ("*.safetensors", "*.safetensors.index.json", "*.jinja")
SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.json",
    # How an encoder's tokens become one vector.
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
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
        hashes = {
            path.relative_to(model).as_posix(): file_entry(path).sha256
            for path in model_files(model)
        }
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return listing_sha256(hashes)


def listing_sha256(hashes: Mapping[str, str]) -> str:
    """Hash of the listing of files (path in the folder -> sha256), sorted by path."""
    lines = [f"{digest}  {path}\n" for path, digest in sorted(hashes.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def licence_of(model: Path, metadata: Mapping[str, Any]) -> str:
    """The licence that the model's own files state, or "unknown".

    `metadata` is what its intake found: GGUF key-values, or config.json.
    """
    stated = metadata.get("general.license") if is_gguf(model) else card_licence(model)
    return stated if isinstance(stated, str) and stated else UNKNOWN_LICENCE


def card_licence(folder: Path) -> str | None:
    """`license: x` between the two `---` lines at the head of a Hugging Face model card."""
    try:
        with (folder / "README.md").open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_MAX_CARD).splitlines()
    except OSError:  # no card, or none that can be read: the folder states no licence
        return None
    if lines[:1] != ["---"]:
        return None
    for line in lines[1:]:
        if line == "---":
            break
        if found := _LICENCE_LINE.match(line):
            return found[1]
    return None
