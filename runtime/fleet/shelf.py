"""The versions of one model on this device, and which one is in use.

    <store>/packs/<name>                          symbolic link to the version in use
    <store>/fleet/models/<name>/versions/<pack>/  whole, verified packs: in use, and the one before
    <store>/fleet/models/<name>/work/<pack>/      one being put together
    <store>/fleet/models/<name>/state.json        the one before, what was refused, the gate

The link is the truth about what is in use: it is replaced by one rename. Everything else can lag
behind it after a crash and is set right by `settle`.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edgeward import store
from edgeward.errors import ChannelError
from edgeward.manifest import Count, Part, Sha256
from edgeward.pack import Pack

from .files import point, sync_folder, write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_REFUSED = 32


class State(Part, frozen=True, omit_defaults=True):
    """`tries` counts trials that were begun and not ended: a pack that kills its trial."""

    format: Literal[1] = 1
    channel: str = ""
    current: Sha256 | None = None
    previous: Sha256 | None = None
    refused: Annotated[dict[Sha256, str], msgspec.Meta(max_length=_MOST_REFUSED)] = msgspec.field(
        default_factory=dict
    )
    tries: Annotated[dict[Sha256, Count], msgspec.Meta(max_length=_MOST_REFUSED)] = msgspec.field(
        default_factory=dict
    )
    gate: str = ""


class Shelf:
    """One model's place. The caller holds the fleet's lock."""

    def __init__(self, fleet: Path, name: str) -> None:
        self.name = name
        self.link = store.pack_folder(name)
        self._folder = fleet / "models" / name
        self.state = self._read()

    def settle(self) -> None:
        """Make link and state agree after whatever ended the last run."""
        current = self._linked()
        if current is None and self.state.current is not None and self._has(self.state.current):
            if not os.path.lexists(self.link):
                point(self.link, self.version(self.state.current))
                current = self.state.current
            elif self.link.is_symlink():
                raise ChannelError(
                    f"{self.link} is a link that leads elsewhere; remove it and update again."
                )
        if current != self.state.current:
            before = self.state.current
            keep = before if before is not None and self._has(before) else self.state.previous
            self.change(current=current, previous=keep)

    def change(self, **fields: object) -> None:
        """Replace fields of the state, on the disk too."""
        self.state = msgspec.structs.replace(self.state, **fields)
        raw = msgspec.json.format(msgspec.json.encode(self.state), indent=1)
        write_whole(self._folder / "state.json", raw)

    def version(self, pack: str) -> Path:
        """Folder of a version, there or not."""
        return self._folder / "versions" / pack

    def work(self, pack: str) -> Path:
        """Folder in which a version is put together; those of others are removed."""
        folder = self._folder / "work" / pack
        _remove_others(folder.parent, {pack})
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def place(self, work: Path, pack: str) -> Path:
        """Move a finished pack among the versions."""
        target = self.version(pack)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # of a run that ended before it was tried
            shutil.rmtree(target)
        os.replace(work, target)
        sync_folder(target.parent)
        return target

    def adopt(self) -> None:
        """Take over a pack of that name that `edgeward pull` made, as the version in use."""
        if self.link.is_symlink() or not self.link.exists():
            return
        pack = Pack.open(self.link, check_hashes=False).sha256
        self.change(current=pack)  # before it moves: `settle` finds it by this
        self.place(self.link, pack)
        point(self.link, self.version(pack))

    def switch(self, pack: str) -> None:
        """Use the version `pack` from now on; the one in use becomes the one before."""
        before = self.state.current
        point(self.link, self.version(pack))
        if pack != before:
            self.change(current=pack, previous=before, tries={})

    def refuse(self, pack: str, reason: str) -> None:
        """Remember not to try `pack` again."""
        refused = {**self.state.refused, pack: reason[:500]}
        newest = dict(list(refused.items())[-_MOST_REFUSED:])
        tries = {k: n for k, n in self.state.tries.items() if k != pack}
        self.change(refused=newest, tries=tries)

    def tidy(self) -> None:
        """Remove versions other than the one in use and the one before, and all work.

        A program that has one of them loaded keeps it: files live on until they are closed.
        """
        keep = {pack for pack in (self.state.current, self.state.previous) if pack is not None}
        _remove_others(self._folder / "versions", keep)
        _remove_others(self._folder / "work", set())

    def _linked(self) -> str | None:
        """The version that the link points to, if it is one of ours and there."""
        if not self.link.is_symlink():
            return None
        target = Path(os.path.normpath(self.link.parent / os.readlink(self.link)))
        mine = Path(os.path.normpath(self._folder / "versions"))
        inside = target.parent == mine or target.parent.resolve() == mine.resolve()
        return target.name if inside and self._has(target.name) else None

    def _has(self, pack: str) -> bool:
        return bool(_SHA256.fullmatch(pack)) and self.version(pack).is_dir()

    def _read(self) -> State:
        path = self._folder / "state.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ChannelError(
                f"{path} is damaged: {error}. Delete it and update again with --channel; the "
                f"version in use stays."
            ) from None


def shelves(fleet: Path) -> list[str]:
    """Names of the models that were updated here."""
    try:
        found = [path.parent.name for path in (fleet / "models").glob("*/state.json")]
    except OSError as error:
        raise ChannelError(f"{fleet} cannot be read: {error.strerror}.") from None
    return sorted(filter(store.is_name, found))


def _remove_others(folder: Path, keep: set[str]) -> None:
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
