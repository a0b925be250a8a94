"""A model that is on this machine already: a GGUF file or a Hugging Face folder, used in place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

from edgeward import manifest
from edgeward.errors import SourceError
from edgeward.quantize.model_files import is_gguf, model_sha256
from edgeward.quantize.progress import Progress

from . import Fetched

KIND = "path"

# A text that begins or ends so can only be meant as a path, whether it is there or not.
_BEGINNINGS = ("./", "../", "/", "~")
_ENDINGS = (".gguf", "/")


@dataclass(frozen=True)
class PathSource:
    """`Source` for a file or folder; nothing is copied, nothing is changed."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem if is_gguf(self.path) else self.path.name

    @property
    def space(self) -> int:
        return 0

    @property
    def size(self) -> int:
        return 0

    @property
    def weights(self) -> int:
        return 0  # its intake will say, as soon as the work starts

    @cached_property
    def sha256(self) -> str:
        return model_sha256(self.path)

    def made(self, source: manifest.Source) -> bool:
        return source.sha256 == self.sha256

    def fetch(self, fetched: Path, work: Path, progress: Progress) -> Fetched:
        source = manifest.Source(
            kind=KIND,
            reference=self.path.name,  # its folder is nobody else's business
            file=self.path.name,
            format="gguf" if is_gguf(self.path) else "safetensors",
            sha256=self.sha256,
        )
        return Fetched(self.path, source, None)


def of(path: str | PathLike[str]) -> PathSource:
    """The source for a path that must exist; `SourceError` if it does not."""
    found = Path(path).expanduser()
    if not os.path.exists(found):
        raise SourceError(
            f"{path} does not exist (seen from {os.getcwd()}); give a .gguf file or a Hugging Face "
            f"folder."
        )
    return PathSource(found.absolute())


def claim(text: str) -> PathSource | None:
    """The path `text` if it exists; `SourceError` if it is written as a path and does not."""
    written_so = text.startswith(_BEGINNINGS) or (text.endswith(_ENDINGS) and ":" not in text)
    if written_so or (text and os.path.exists(text)):
        return of(text)
    return None
