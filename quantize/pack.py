"""Put a folder in place at once or not at all. Knows files; not what they hold."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """A new empty folder beside `target` that becomes `target` when the block ends well.

    On any exception, Ctrl-C included, it is removed and `target` stays as it was. A `target` that
    exists is replaced: it is moved aside first, so that at no moment a mixture of both is there,
    and moved back should the replacement fail. Raises `OSError` where the system does.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    try:
        made.chmod(0o777 & ~_umask())
        yield made
        for path in made.iterdir():
            _sync(path)
        _sync(made)
        _replace(made, target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a new file."""
    with path.open("xb") as file:
        file.write(content)


def _replace(made: Path, target: Path) -> None:
    if not target.exists():
        os.replace(made, target)
        _sync(target.parent)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    os.replace(target, aside / target.name)
    try:
        os.replace(made, target)
    except BaseException:
        os.replace(aside / target.name, target)
        aside.rmdir()
        raise
    _sync(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    """The process's mask for new files: `mkdtemp` makes folders that only their owner reads."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
