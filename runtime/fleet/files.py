"""Files that are whole or not there, whatever ends the process; one updater at a time.

Knows files only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeward.errors import ChannelError
from edgeward.file_lock import try_lock


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: after a crash it is the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.new")
    with made.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(made, path)
    sync_folder(path.parent)


def point(link: Path, target: Path) -> None:
    """Make `link` a symbolic link to the folder `target`, at once; a link there is replaced."""
    link.parent.mkdir(parents=True, exist_ok=True)
    made = link.with_name(f".{link.name}.link")
    with contextlib.suppress(FileNotFoundError):
        made.unlink()
    os.symlink(os.path.relpath(target, link.parent), made, target_is_directory=True)
    os.replace(made, link)
    sync_folder(link.parent)


def sync_folder(folder: Path) -> None:
    """Have the system write a folder's entries to the disk, where it has such a call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock `path`. Raises `ChannelError(busy)` when another process or thread has it.

    The system gives the lock back when its holder ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        if not try_lock(handle):
            raise ChannelError(busy)
        yield
    finally:
        os.close(handle)
