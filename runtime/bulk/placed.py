"""A pack on its way to other machines: taken apart here, put together once on each node.

Knows: packs, Ray's object store. Does not know: what runs the model.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward import store
from edgeward.errors import PackError
from edgeward.pack import MANIFEST, Pack
from edgeward.store import folder_of

PIECE = 64 * 2**20
"""Bytes of a pack's file that travel together."""


@dataclass(frozen=True)
class PackedModel:
    """A pack as references to pieces in the object store."""

    folder: str
    """Where it lies on the machine it comes from; used as it is where the same pack lies there."""
    sha256: str
    pieces: dict[str, list[Any]]

    @classmethod
    def of(cls, model: str) -> PackedModel:
        """The pack of a name or folder, every byte verified. Raises `PackError`."""
        import ray

        folder = folder_of(model).absolute()
        pack = Pack.open(folder)
        pieces: dict[str, list[Any]] = {}
        for name in (MANIFEST, *pack.manifest.files):
            with (folder / name).open("rb") as file:
                pieces[name] = [ray.put(piece) for piece in iter(lambda: file.read(PIECE), b"")]
        return cls(str(folder), pack.sha256, pieces)

    def place(self) -> Path:
        """The pack's folder on this node; fetched unless it is there. Loading verifies it."""
        here = Path(self.folder)
        if _has(here, self.sha256):
            return here
        target = store.home() / "placed" / self.sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / f"{self.sha256}.lock").open("ab") as lock:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)  # several actors of a node fetch it once
            if not _has(target, self.sha256):
                self._fetch(target)
        return target

    def _fetch(self, target: Path) -> None:
        import ray

        shutil.rmtree(target, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix="placing-", dir=target.parent))
        try:
            for name, pieces in self.pieces.items():
                with (made / name).open("wb") as file:
                    for piece in pieces:
                        file.write(ray.get(piece))
            Pack.open(made)
            os.replace(made, target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise


def _has(folder: Path, sha256: str) -> bool:
    try:
        return Pack.open(folder, check_hashes=False).sha256 == sha256
    except PackError:
        return False
