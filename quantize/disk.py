"""What can go wrong with a disk, said once: free space, permissions, and a clear error for each."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeward.errors import SourceError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def in_words(size: int) -> str:
    """A number of bytes for a person, in decimal units: 98362432 -> '98.4 MB'."""
    if size < 1000:
        return f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write where `path` is, or will be once it exists."""
    for folder in (path, *path.parents):
        if folder.exists():
            return shutil.disk_usage(folder).free
    raise SourceError(f"{path} lies on no file system that exists.")


def check_space(path: Path, needed: int, what: str) -> None:
    """Raise `SourceError` now rather than in the middle if `needed` bytes do not fit at `path`."""
    free = free_bytes(path)
    if free < needed:
        raise SourceError(
            f"{what} needs {in_words(needed)} at {path}, where {in_words(free)} are free. "
            f"Free some space, or set EDGEWARD_HOME to a folder on another disk."
        )


@contextmanager
def explained(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn an `OSError` inside into a `SourceError` that names the path, the space and a way out.

    `path` is the folder written to, `needed` the bytes the whole job takes (0: not known).
    """
    try:
        yield
    except OSError as error:
        raise SourceError(_explanation(error, path, needed)) from error


def out_of_space(path: Path, needed: int) -> SourceError:
    """The error for a disk that became full while the job ran."""
    needs = f"; the whole job needs {in_words(needed)}" if needed else ""
    return SourceError(
        f"the disk is full at {path}: {in_words(free_bytes(path))} are free{needs}. Nothing half "
        f"written was left. Free some space, or set EDGEWARD_HOME to a folder on another disk."
    )


def _explanation(error: OSError, path: Path, needed: int) -> str:
    where = error.filename if isinstance(error.filename, str) else str(path)
    if error.errno in _FULL:
        return str(out_of_space(path, needed))
    if error.errno in _FORBIDDEN:
        return (
            f"no permission to write {where} ({error.strerror}). Make it writable for user "
            f"{os.getuid()}, or set EDGEWARD_HOME to a folder that is."
        )
    return f"{where}: {error.strerror or error}."
