"""Bring models of this device to what their channel says; go back to the version before.

The order is what makes it safe: believe the index, put the pack together from checked pieces,
verify it as a whole, try it, and only then let the name point to it. Whatever ends the process in
between leaves the version in use as it was, and the next run goes on from there.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edgeward import installed, store
from edgeward.errors import ChannelError, EdgewardError, OptionError
from edgeward.pack import Pack

from . import channel as channels
from . import trial
from .assemble import Assembly, Progress, Tally
from .device import choose, device_id
from .files import locked
from .shelf import Shelf, shelves
from .transport import Unreachable, source
from .words import Index, Release, read_recipe, recipe_path

_MOST_TRIES = 3

Action = Literal["updated", "current", "offline", "waiting", "refused", "failed", "rolled back"]


def _silent(step: str, done: int, total: int) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True)
class Outcome:
    """What became of one model.

    `action`: "updated"; "current" (it has what it should have); "offline" (the channel was not
    reached, the version in use stays); "waiting" (no release is for this device yet); "refused"
    (the release failed here, now or before; `reason` says why); "failed" (it could not be done);
    "rolled back". `pack` is the sha256 in use now, or None.
    """

    name: str
    action: Action
    pack: str | None = None
    reason: str = ""
    tally: Tally = field(default_factory=Tally)

    @property
    def ok(self) -> bool:
        """Whether nothing is left to be done by a person."""
        keeps = self.action in ("offline", "waiting") and self.pack is not None
        return keeps or self.action in ("updated", "current", "rolled back")


def update(
    name: str | None = None,
    *,
    channel: str | None = None,
    key: Path | None = None,
    gate: str | None = None,
    retry: bool = False,
    progress: Progress = _silent,
) -> list[Outcome]:
    """Bring the model `name`, or all models, to the release that its channel has for this device.

    `channel` is an http(s) address or a folder, `key` the publisher's public Ed25519 key in PEM:
    needed the first time, pinned and remembered after. Without `name`: every model of `channel`,
    or, without that too, every model that was updated here before. `gate` is a command that must
    end with 0 before a new version is used (it finds the pack's folder in EDGEWARD_PACK); it is
    remembered, "" forgets it. `retry` tries a refused release again.

    Opens sockets to that channel only (none for a folder). Raises `OptionError` for wrong
    arguments and `ChannelError` when another update runs; what goes wrong with one model is its
    `Outcome`.

    >>> update("smollm2-135m", channel="https://models.example.com/stable",
    ...        key=Path("public.pem"))                                # doctest: +SKIP
    [Outcome(name='smollm2-135m', action='updated', ...)]
    """
    if name is not None:
        store.check_name(name)
    if key is not None and channel is None:
        raise OptionError("key= says by whom a channel is signed: give channel= as well.")
    if gate is not None:
        trial.split(gate)
    fleet = fleet_folder()
    where = None if channel is None else source(channel).where
    with _alone(fleet):
        wanted = _wanted(fleet, name, where)
        outcomes: list[Outcome] = []
        for address, names in wanted.items():
            job = _Job(fleet, channels.find(fleet, address), key, gate, retry, progress)
            outcomes += job.run(names)
        return outcomes


def rollback(name: str) -> Outcome:
    """Use the version of `name` that was in use before; the present one is not tried again.

    Needs no network. Raises `ChannelError` when there is no version before.
    """
    fleet = fleet_folder()
    with _alone(fleet), _explained(fleet):
        shelf = Shelf(fleet, store.check_name(name))
        shelf.settle()
        bad, good = shelf.state.current, shelf.state.previous
        if bad is None or good is None or not shelf.version(good).is_dir():
            raise ChannelError(
                f"there is no version of '{name}' before the one in use: nothing to go back to."
            )
        Pack.open(shelf.version(good))
        shelf.refuse(bad, "rolled back by hand")
        shelf.switch(good)
        shelf.change(previous=None)
        shelf.tidy()
        return Outcome(name, "rolled back", good)


def fleet_folder() -> Path:
    """Where this device keeps channels, versions and its number; it need not exist."""
    return store.home() / "fleet"


def _wanted(fleet: Path, name: str | None, where: str | None) -> dict[str, list[str] | None]:
    """Channel address -> names (None: all that it has)."""
    if where is not None:
        return {where: None if name is None else [name]}
    known = {entry.name: entry.where for entry in channels.remembered(fleet)}
    wanted: dict[str, list[str] | None] = {}
    for each in shelves(fleet) if name is None else [name]:
        address = known.get(Shelf(fleet, each).state.channel)
        if address is None:
            if name is not None:
                raise OptionError(
                    f"'{name}' has no channel yet: name it once with --channel and --key."
                )
            continue
        names = wanted.setdefault(address, [])
        assert names is not None
        names.append(each)
    if not wanted:
        raise OptionError("no channel is known here: name one with --channel and --key.")
    return wanted


@dataclass
class _Job:
    """All models of one channel."""

    fleet: Path
    channel: channels.Channel
    key: Path | None
    gate: str | None
    retry: bool
    progress: Progress

    def __post_init__(self) -> None:
        self.source = source(self.channel.where)

    def run(self, names: list[str] | None) -> list[Outcome]:
        if self.channel.known is None and self.key is None:
            self.channel.refresh(self.source, None)  # says that a key is needed
        try:
            return self._run(names)
        finally:
            self.source.close()

    def _run(self, names: list[str] | None) -> list[Outcome]:
        try:
            self.progress("index", 0, 0)
            with _explained(self.fleet):
                index = self.channel.refresh(self.source, self.key)
        except ChannelError as error:
            mine = self._of_channel() if names is None else names
            if not mine:
                raise
            action: Action = "offline" if isinstance(error, Unreachable) else "failed"
            return [self._kept(name, action, str(error)) for name in mine]
        return [self._one(name, index) for name in (names or sorted(index.models))]

    def _of_channel(self) -> list[str]:
        every = shelves(self.fleet)
        return [n for n in every if Shelf(self.fleet, n).state.channel == self.channel.name]

    def _one(self, name: str, index: Index) -> Outcome:
        try:
            with _explained(self.fleet):
                return self._bring(Shelf(self.fleet, name), index)
        except Unreachable as error:
            return self._kept(name, "offline", str(error))
        except EdgewardError as error:
            return self._kept(name, "failed", str(error))

    def _kept(self, name: str, action: Action, reason: str) -> Outcome:
        shelf = Shelf(self.fleet, name)
        shelf.settle()
        return Outcome(name, action, shelf.state.current, reason)

    def _bring(self, shelf: Shelf, index: Index) -> Outcome:
        shelf.settle()
        name = shelf.name
        releases = index.models.get(name)
        if releases is None:
            has = ", ".join(sorted(index.models)) or "no models"
            raise ChannelError(f"the channel {self.channel.where} has no '{name}'; it has {has}.")
        gate = shelf.state.gate if self.gate is None else self.gate
        if (shelf.state.channel, shelf.state.gate) != (self.channel.name, gate):
            shelf.change(channel=self.channel.name, gate=gate)
        release = choose(device_id(self.fleet), name, releases)
        state = shelf.state
        if release is None:
            reason = "the releases of this channel are not for this device yet"
            return Outcome(name, "waiting", state.current, reason)
        if release.pack == state.current:
            shelf.tidy()
            return Outcome(name, "current", release.pack)
        if release.pack in state.refused and not self.retry:
            return Outcome(name, "refused", state.current, state.refused[release.pack])
        tally = self._obtain(shelf, release)
        self._try(shelf, release.pack)
        if release.pack in shelf.state.refused:
            reason = shelf.state.refused[release.pack]
            return Outcome(name, "refused", shelf.state.current, reason, tally)
        self.progress("switch", 0, 0)
        shelf.adopt()
        shelf.switch(release.pack)
        self.progress("tidy", 0, 0)
        shelf.tidy()
        return Outcome(name, "updated", release.pack, tally=tally)

    def _obtain(self, shelf: Shelf, release: Release) -> Tally:
        """The release among the versions: whole, verified, not in use."""
        if release.pack == shelf.state.previous:
            return Tally()
        self.progress("recipe", 0, 0)
        raw = self.source.read(recipe_path(release.recipe), release.recipe_size)
        _check_digest(raw, release.recipe)
        recipe = read_recipe(raw, release)
        work = shelf.work(release.pack)
        assembly = Assembly(recipe, work, self.source, self.progress)
        assembly.check_space()
        assembly.know(self._relatives(shelf))
        assembly.make()
        self.progress("verify", 0, 0)
        pack = Pack.open(work)
        if pack.sha256 != release.pack or pack.manifest.name != shelf.name:
            raise ChannelError(
                f"what the channel calls '{shelf.name}' is the pack '{pack.manifest.name}' of "
                f"sha256 {pack.sha256}; expected {release.pack}. It was not used."
            )
        self.progress("place", 0, 0)
        shelf.place(work, release.pack)
        return assembly.tally

    def _relatives(self, shelf: Shelf) -> list[Path]:
        """Packs here that may share pieces with the new one: versions, pulled, installed by pip."""
        found = [shelf.version(p) for p in (shelf.state.current, shelf.state.previous) if p]
        if shelf.link.is_dir() and not shelf.link.is_symlink():
            found.append(shelf.link)
        if (by_pip := installed.find(shelf.name)) is not None:
            found.append(by_pip)
        return [folder for folder in found if folder.is_dir()]

    def _try(self, shelf: Shelf, pack: str) -> None:
        """Refuse the version `pack` unless it works here."""
        begun = shelf.state.tries.get(pack, 0)
        if begun >= _MOST_TRIES:
            shelf.refuse(pack, f"its trial ended the process {begun} times")
        else:
            shelf.change(tries={pack: begun + 1})
            self.progress("try", 0, 0)
            try:
                trial.check(shelf.version(pack), shelf.state.gate)
            except trial.Failed as error:
                shelf.refuse(pack, str(error))
            else:
                kept = {k: reason for k, reason in shelf.state.refused.items() if k != pack}
                shelf.change(refused=kept, tries={})
                return
        if pack != shelf.state.previous:
            shelf.tidy()


def _check_digest(raw: bytes, expected: str) -> None:
    if (found := hashlib.sha256(raw).hexdigest()) != expected:
        raise Unreachable(
            f"the recipe arrived with sha256 {found}, expected {expected}: damaged on the way, or "
            f"the channel is being published just now. Update again."
        )


@contextmanager
def _alone(fleet: Path) -> Iterator[None]:
    busy = "another `edgeward update` runs on this device; wait for it."
    with _explained(fleet), locked(fleet / "lock", busy):
        yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an `OSError` of the disk inside into a `ChannelError` with a way out."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(folder)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ChannelError(
                f"the disk is full at {where}. The version in use stays; what was fetched is kept "
                f"for the next run. Free some space, or remove {folder / 'models'}/*/work."
            ) from error
        raise ChannelError(f"{where}: {error.strerror or error}. The version in use stays.") from (
            error
        )
