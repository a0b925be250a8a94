"""Put a pack together from pieces: those that lie here already, and those that must be fetched.

What was written by a run that was ended stays and is told good from bad by its hash, so that a run
can be resumed at any byte without a journal. Every piece is checked before it is written; nothing
is trusted for having been written. Memory: one piece. Knows recipes; not which pack to make.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgeward.errors import ChannelError

from . import pieces
from .transport import Source, Unreachable
from .words import Recipe, RecipeFile, piece_path

Progress = Callable[[str, int, int], None]
"""Called with a step in a word, and how much of what is done; it may raise to end the run."""

_TRIES = 4
_PAUSE = 0.5  # seconds before the second try, doubled each time
# Left free for everything else on the device.
_SPARE = 16 * 1024 * 1024


@dataclass
class Tally:
    """Bytes of a pack by where they came from."""

    fetched: int = 0
    reused: int = 0
    resumed: int = 0


class Assembly:
    """The pack of `recipe` in `folder`, which belongs to it alone."""

    def __init__(self, recipe: Recipe, folder: Path, source: Source, progress: Progress) -> None:
        self._recipe = recipe
        self._folder = folder
        self._source = source
        self._progress = progress
        self._total = sum(file.size for file in recipe.files)
        self._wanted = {sha for file in recipe.files for sha, _ in file.pieces}
        self._here: dict[str, tuple[Path, int]] = {}
        self.tally = Tally()

    def know(self, folders: Iterable[Path]) -> None:
        """Look for pieces in other packs on this device. They are hashed again when taken."""
        for folder in folders:
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.is_symlink():
                    self._progress("look", 0, 0)
                    for sha, offset, _ in pieces.cut(path):
                        if sha in self._wanted:
                            self._here.setdefault(sha, (path, offset))

    def check_space(self) -> None:
        """Raise `ChannelError` now rather than in the middle when the disk is too full."""
        present = sum(min(self._written(f), f.size) for f in self._recipe.files)
        needed = self._total - present + _SPARE
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise ChannelError(
                f"{needed / 1e6:.0f} MB are needed at {self._folder}, where {free / 1e6:.0f} MB "
                f"are free. The version in use stays. Free some space and update again."
            )

    def make(self) -> None:
        """Write all files. Raises `Unreachable` when the channel breaks off: run it again."""
        names = {file.name for file in self._recipe.files}
        for entry in self._folder.iterdir():
            if entry.name not in names or not stat.S_ISREG(entry.lstat().st_mode):
                raise ChannelError(f"{entry} does not belong there; remove it and update again.")
        for file in self._recipe.files:
            self._make(file)

    def _make(self, file: RecipeFile) -> None:
        path = self._folder / file.name
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        with os.fdopen(handle, "r+b") as out:
            offset = 0
            for sha, size in file.pieces:
                self._piece(out, path, offset, sha, size)
                offset += size
            out.truncate(file.size)
            out.flush()
            os.fsync(out.fileno())

    def _piece(self, out: BinaryIO, path: Path, offset: int, sha: str, size: int) -> None:
        out.seek(offset)
        if _is(out.read(size), sha):
            self.tally.resumed += size
        else:
            content = self._local(sha, size)
            if content is None:
                content = self._fetch(sha, size)
                self.tally.fetched += size
            else:
                self.tally.reused += size
            out.seek(offset)
            out.write(content)
            out.flush()  # so that what ends the process loses at most this piece
        self._here.setdefault(sha, (path, offset))
        done = self.tally.fetched + self.tally.reused + self.tally.resumed
        self._progress("fetch", done, self._total)

    def _local(self, sha: str, size: int) -> bytes | None:
        if sha not in self._here:
            return None
        path, offset = self._here[sha]
        try:
            with path.open("rb") as file:
                file.seek(offset)
                content = file.read(size)
        except OSError:
            return None  # it is fetched instead
        return content if _is(content, sha) else None

    def _fetch(self, sha: str, size: int) -> bytes:
        """The piece from the channel, asked for again when it arrives cut off or changed."""
        problem = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * 2 ** (attempt - 1))
            try:
                content = self._source.read(piece_path(sha), size)
            except Unreachable as error:
                problem = str(error)
                continue
            if len(content) == size and _is(content, sha):
                return content
            problem = (
                f"{self._source.where}/{piece_path(sha)} has {len(content)} bytes of sha256 "
                f"{hashlib.sha256(content).hexdigest()}, expected {size} of the one in its name."
            )
        done = self.tally.fetched + self.tally.reused + self.tally.resumed
        raise Unreachable(
            f"{problem} Given up after {_TRIES} tries; {done / 1e6:.1f} of "
            f"{self._total / 1e6:.1f} MB are here and kept for the next `edgeward update`."
        )

    def _written(self, file: RecipeFile) -> int:
        try:
            return (self._folder / file.name).lstat().st_size
        except FileNotFoundError:
            return 0


def _is(content: bytes, sha: str) -> bool:
    return hashlib.sha256(content).hexdigest() == sha
