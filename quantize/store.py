"""The store's writing side: one pull at a time of a name, a place to work in, packs moved in whole.

A pack appears in `packs/` by one rename, complete and verified, or not at all. Everything before
that happens in `downloads/<name>/`, which belongs to the holder of `locks/<name>.lock`:

    work/     swept whenever the lock changes hands; a killed process leaves nothing else behind
    fetched/  complete, checked downloads; they outlive an interrupted pull, so that the next one
              need not fetch again, and go with the pull that succeeds or fails

Does not know what a source or a model is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeward.errors import PackError, SourceError
from edgeward.store import check_name, find, home, is_name, pack_folder, pack_names

from .progress import Progress, silent

# How long an interrupted pull's checked download is kept for the next try.
_KEEP_FETCHED_SECONDS = 7 * 24 * 3600
_POLL_SECONDS = 0.2
_OLD = "replaced"


@dataclass(frozen=True)
class Workspace:
    """Two folders for one pull: `work` for anything, `fetched` for complete, checked downloads."""

    work: Path
    fetched: Path


@contextmanager
def hold(name: str, progress: Progress = silent) -> Iterator[None]:
    """Hold the lock of the pack `name`; wait for another process or thread that has it.

    While waiting, `progress` is called with "wait for ...". The kernel gives the lock back when its
    holder ends, however it ends, so there are no stale locks; the lock's file stays.
    """
    lock = _lock_file(name)
    try:
        while not _try_lock(lock):
            progress(f"wait for another pull of {name}{_holder(lock)}", 0, 0)
            time.sleep(_POLL_SECONDS)
        _put_back(name)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


@contextmanager
def workspace(name: str) -> Iterator[Workspace]:
    """A place to work in; the caller holds the lock of `name`.

    `work` is empty at the start and gone at the end, whatever happens. `fetched` is kept for the
    next try only if this one was interrupted, or failed while fetching (`SourceError`).
    """
    _sweep_others(name)
    space = _space(name)
    _remove_tree(space.work)
    space.work.mkdir(parents=True)
    space.fetched.mkdir(exist_ok=True)
    try:
        yield space
    except Exception as error:
        _clear(space, keep_fetched=isinstance(error, SourceError))
        raise
    except BaseException:  # Ctrl-C and the like
        _clear(space, keep_fetched=True)
        raise
    _clear(space, keep_fetched=False)


def install(made: Path, name: str, space: Workspace) -> Path:
    """Move the finished folder `made` (inside `space`) to the store as pack `name`; replaces.

    Programs that have the replaced pack open keep it: their files live on until they close them.
    """
    target = pack_folder(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    old = space.work / _OLD
    if os.path.lexists(target):
        target.rename(old)
    try:
        made.rename(target)
    except BaseException:
        _put_back(name)
        raise
    return target


def remove(name: str) -> None:
    """Delete the pack `name` and whatever an interrupted pull of it left.

    Raises `PackError` when there is no such pack.
    """
    with hold(name):
        find(name)
        folder = pack_folder(name)
        if not os.path.lexists(folder):
            raise PackError(f"'{name}' was installed with pip: `pip uninstall` removes it.")
        with workspace(name) as space:
            folder.rename(space.work / "removed")


def packs() -> list[tuple[str, int]]:
    """Name and size in bytes of every pack in the store."""
    return [(name, _tree_bytes(pack_folder(name))) for name in pack_names()]


def _downloads() -> Path:
    return home() / "downloads"


def _space(name: str) -> Workspace:
    root = _downloads() / check_name(name)
    return Workspace(root / "work", root / "fetched")


def _clear(space: Workspace, *, keep_fetched: bool) -> None:
    _remove_tree(space.work)
    if not keep_fetched or not any(space.fetched.glob("*")):
        _remove_tree(space.work.parent)


def _lock_file(name: str) -> int:
    locks = home() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    # A new open file description each time: flock then also excludes threads of one process.
    return os.open(locks / f"{check_name(name)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> str:
    number = os.pread(lock, 20, 0)
    return f" (process {number.decode()})" if number.isdigit() else ""


def _put_back(name: str) -> None:
    """Put back the old pack that a process killed between `install`'s two renames left aside."""
    old = _space(name).work / _OLD
    if old.is_dir() and not os.path.lexists(pack_folder(name)):
        old.rename(pack_folder(name))


def _sweep_others(name: str) -> None:
    """Delete what killed pulls of other names left: their lock is free, their work is not.

    What cannot be deleted now stays for the next pull; it is no reason to stop this one.
    """
    try:
        others = [root.name for root in _downloads().iterdir() if root.name != name]
    except FileNotFoundError:
        return
    for other in filter(is_name, others):
        lock = _lock_file(other)
        try:
            if _try_lock(lock):
                _put_back(other)
                space = _space(other)
                recent = time.time() - space.work.parent.stat().st_mtime < _KEEP_FETCHED_SECONDS
                _clear(space, keep_fetched=recent)
        except OSError:
            continue
        finally:
            os.close(lock)


def _remove_tree(path: Path) -> None:
    """Delete `path` if it exists; a link itself, not what it points to."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _tree_bytes(folder: Path) -> int:
    try:
        return sum(f.lstat().st_size for f in folder.iterdir())
    except OSError as error:
        raise PackError(f"{folder} cannot be read: {error.strerror}.") from None
