"""Which files of a hub repository make a model. Knows their names and sizes; fetches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgeward.errors import SourceError
from edgeward.quantize.model_files import SETTINGS

_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_CARD = "README.md"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository: its path there, its bytes, and its sha256 where the hub states it."""

    name: str
    size: int
    sha256: str | None


def choose(files: list[RemoteFile], repository: str, file: str | None) -> list[RemoteFile]:
    """What to fetch of a repository's `files`: the GGUF file `file`, or what makes its model.

    Small files come first. Raises `SourceError` if there is no model, or no single one.
    """
    named = {one.name: one for one in files if _stays_inside(one.name)}
    card = [named[_CARD]] if _CARD in named else []
    ggufs = [one for name, one in named.items() if name.endswith(".gguf")]
    if file is not None:
        if file not in named:
            raise SourceError(
                f"{repository} has no file '{file}'; its GGUF files are {_names(ggufs) or 'none'}."
            )
        return [*card, named[file]]
    if "config.json" in named and (weights := _safetensors(named)):
        settings = [named[name] for name in (*SETTINGS, "chat_template.jinja") if name in named]
        return [*card, *settings, *weights]
    if len(ggufs) == 1:
        return [*card, ggufs[0]]
    if ggufs:
        raise SourceError(
            f"{repository} has {len(ggufs)} GGUF files; choose one with "
            f"'{repository}:{ggufs[0].name}': {_names(ggufs)}."
        )
    raise SourceError(
        f"{repository} has neither safetensors files with a config.json nor a .gguf file; "
        f"it has {_names(files) or 'no files'}."
    )


def _stays_inside(name: str) -> bool:
    """Whether a file of that name lands in the folder it is fetched to."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _safetensors(named: dict[str, RemoteFile]) -> list[RemoteFile]:
    """One set of weights: the shards where there is an index, else the single file."""
    if _INDEX in named:
        return [named[_INDEX], *(one for name, one in named.items() if _SHARD.fullmatch(name))]
    return [named["model.safetensors"]] if "model.safetensors" in named else []


def _names(files: list[RemoteFile]) -> str:
    shown = ", ".join(one.name for one in files[:12])
    return shown + (f" and {len(files) - 12} more" if len(files) > 12 else "")
