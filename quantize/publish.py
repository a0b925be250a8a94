"""Put a pack into a channel: pieces, recipe, and the next signed index. Opens no socket.

A channel is a folder; how it reaches a server (rsync, a bucket, a stick) is its owner's business.
Pieces and recipes are named by their sha256 and written before the index that names them, and the
index is replaced by one rename: a device that reads while this writes sees the old or the new.
What devices make of it: `edgeward.fleet`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeward.errors import ChannelError, OptionError
from edgeward.fleet import keys, pieces, sealed
from edgeward.fleet.files import locked, write_whole
from edgeward.fleet.words import (
    INDEX,
    MAX_INDEX,
    WHOLE,
    Index,
    Recipe,
    RecipeFile,
    Release,
    piece_path,
    recipe_path,
)
from edgeward.graph_file import check_graph
from edgeward.pack import MANIFEST, Pack, file_entry

from .sign import SIGNATURE

DAYS = 90
_MOST_DAYS = 3650


@dataclass(frozen=True)
class Published:
    """`new_bytes` of `bytes` are in pieces that the channel did not have before."""

    name: str
    pack: str
    version: int
    rollout: int
    expires: int
    bytes: int
    new_bytes: int
    pruned_bytes: int


def publish(
    pack: Path,
    channel: Path,
    key: Path,
    *,
    rollout: int = WHOLE,
    days: int = DAYS,
    prune: bool = False,
) -> Published:
    """Make the pack in folder `pack` the newest release of its name in the folder `channel`.

    `key` is the private Ed25519 key in PEM that signed the channel so far. `rollout` is the share
    of devices that get it, in hundredths of a percent; the others stay with the newest release that
    was for all. Publishing a pack that is there already changes its rollout and renews the index,
    which expires after `days`. `prune` removes what no release names any more; a device that is
    fetching it at that moment starts over.

    Raises `PackError` for a pack that does not verify, `OptionError` for a key or number that
    cannot be used, `ChannelError` for a channel of another key, `OSError` where the system does.
    """
    if not 0 <= rollout <= WHOLE:
        raise OptionError(f"rollout={rollout}; give 0 to {WHOLE}, in hundredths of a percent.")
    opened = Pack.open(pack)
    for graph in opened.manifest.graphs:
        check_graph(opened.path(graph.file), graph.data, opened.manifest.files[graph.data].size)
    name = opened.manifest.name
    with _Desk(channel, key, days) as desk:
        old = desk.index.models.get(name, [])
        recipe, raw, new_bytes = _write(opened, channel)
        before = next((r for r in old if r.pack == opened.sha256), None)
        release = Release(
            pack=opened.sha256,
            recipe=hashlib.sha256(raw).hexdigest(),
            recipe_size=len(raw),
            bytes=sum(file.size for file in recipe.files),
            rollout=rollout,
            published=before.published if before else int(time.time()),
        )
        whole = [r for r in old if r.rollout == WHOLE and r.pack != release.pack]
        pruned = desk.issue({**desk.index.models, name: [release, *whole[:1]]}, prune)
        return Published(
            name=name,
            pack=release.pack,
            version=desk.index.version,
            rollout=rollout,
            expires=desk.index.expires,
            bytes=release.bytes,
            new_bytes=new_bytes,
            pruned_bytes=pruned,
        )


def withdraw(name: str, channel: Path, key: Path, *, days: int = DAYS) -> Published:
    """Take the newest release of `name` back: devices return to the one before.

    Raises `ChannelError` when the channel has no release of that name before the newest.
    """
    with _Desk(channel, key, days) as desk:
        old = desk.index.models.get(name, [])
        if len(old) < 2:
            has = "has no other release of" if old else "has no"
            raise ChannelError(f"the channel {channel} {has} '{name}': nothing to go back to.")
        desk.issue({**desk.index.models, name: old[1:]}, prune=False)
        now = old[1]
        return Published(
            name=name,
            pack=now.pack,
            version=desk.index.version,
            rollout=now.rollout,
            expires=desk.index.expires,
            bytes=now.bytes,
            new_bytes=0,
            pruned_bytes=0,
        )


class _Desk:
    """The index of a channel, held while it is changed."""

    def __init__(self, channel: Path, key: Path, days: int) -> None:
        if not 1 <= days <= _MOST_DAYS:
            raise OptionError(f"days={days}; an index may be good for 1 to {_MOST_DAYS} days.")
        self._channel = channel
        self._key = keys.private_key(key)
        self._seconds = days * 86400
        busy = f"another publisher works in {channel}; wait for it."
        self._lock = locked(channel / ".lock", busy)

    def __enter__(self) -> _Desk:
        self._lock.__enter__()
        try:
            self.index = self._read()
        except BaseException as error:
            self._lock.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        self._lock.__exit__(None, None, None)

    def issue(self, models: dict[str, list[Release]], prune: bool) -> int:
        """Write the next index; bytes that were pruned."""
        now = max(int(time.time()), self.index.made)
        self.index = msgspec.structs.replace(
            self.index,
            version=self.index.version + 1,
            made=now,
            expires=now + self._seconds,
            models=dict(sorted(models.items())),
        )
        # Read back what devices will read: what they would refuse must not be published.
        raw = sealed.seal(self.index, self._key)
        sealed.unseal(raw, self._key.public_key(), "the new index")
        write_whole(self._channel / INDEX, raw)
        os.chmod(self._channel / INDEX, 0o644)
        return _prune(self._channel, self.index) if prune else 0

    def _read(self) -> Index:
        path = self._channel / INDEX
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_INDEX + 1)
        except FileNotFoundError:
            return Index(
                format=1, channel=secrets.token_hex(16), version=1, made=0, expires=0, models={}
            )
        return sealed.unseal(raw, self._key.public_key(), str(path))


def _write(pack: Pack, channel: Path) -> tuple[Recipe, bytes, int]:
    """Write the pieces and the recipe of a pack; bytes of pieces that were not there."""
    names = [MANIFEST, *sorted(pack.manifest.files)]
    if (pack.folder / SIGNATURE).is_file():
        names.append(SIGNATURE)
    new_bytes = 0
    files = []
    for name in names:
        path = pack.folder / name
        parts = list(pieces.cut(path))
        with path.open("rb") as file:
            for sha, _, size in parts:
                new_bytes += _put(channel / piece_path(sha), file.read(size), sha)
        entry = pack.manifest.files.get(name) or file_entry(path)
        listed = [(sha, size) for sha, _, size in parts]
        files.append(RecipeFile(name=name, size=entry.size, sha256=entry.sha256, pieces=listed))
    recipe = Recipe(format=1, pack=pack.sha256, files=files)
    raw = msgspec.json.encode(recipe)
    digest = hashlib.sha256(raw).hexdigest()
    _put(channel / recipe_path(digest), raw, digest)
    return recipe, raw, new_bytes


def _put(path: Path, content: bytes, sha: str) -> int:
    """Write `content` unless it is there, undamaged; the bytes written."""
    if hashlib.sha256(content).hexdigest() != sha:
        raise ChannelError(f"the pack changed while it was published: {path.name}. Publish again.")
    try:
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return 0
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.new")
    made.write_bytes(content)
    os.replace(made, path)
    return len(content)


def _prune(channel: Path, index: Index) -> int:
    """Remove recipes and pieces that no release names; their bytes."""
    keep = set()
    for releases in index.models.values():
        for release in releases:
            named = recipe_path(release.recipe)
            keep.add(named)
            recipe = msgspec.json.decode((channel / named).read_bytes(), type=Recipe)
            keep |= {piece_path(sha) for file in recipe.files for sha, _ in file.pieces}
    removed = 0
    for path in [*channel.glob("recipes/*"), *channel.glob("pieces/*/*")]:
        if path.relative_to(channel).as_posix() not in keep:
            removed += path.stat().st_size
            path.unlink()
    return removed
