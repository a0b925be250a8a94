"""Open a pack: a folder whose every file is checked before it is trusted.

Knows: the folder, its manifest, sizes and hashes. Does not know where a pack came from (that is
`edgeward.quantize`) nor how it is run.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec

from . import manifest as m
from .errors import PackError

MANIFEST = "manifest.json"
WEIGHTS = "model.data"
FUSED = "fused.onnx"
FUSED_WEIGHTS = "fused.data"
TOKENIZER = "tokenizer.json"
COMPILED_TOKENIZER = "tokenizer.bin"
TEMPLATE = "chat_template.jinja"
CARD = "card.md"

# A manifest is a few KB; more is not a manifest.
_MAX_MANIFEST = 4 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Pack:
    """A verified pack: `folder` holds what `manifest` says, byte for byte, when it was opened."""

    folder: Path
    manifest: m.Manifest
    sha256: str
    """Hash of the manifest file; as it holds the hash of every other file, that of the pack."""

    @classmethod
    def open(
        cls, folder: str | Path, *, check_hashes: bool = True, graph: str | None = None
    ) -> Pack:
        """Read and verify the pack in `folder`.

        Checks that the manifest is well formed, that every file it names is a plain file in the
        folder with the stated size and, unless `check_hashes` is false, the stated sha256
        (about 1 GB/s). With `graph`, a graph's kind, the hashes of what only other graphs need are
        left for `verify`; nothing, where the pack has no such graph. Raises `PackError` naming the
        file and what to do.
        """
        folder = Path(folder)
        raw = _read_manifest(folder)
        try:
            manifest = m.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PackError(_manifest_problem(folder, raw, str(error))) from None
        for name in _needed(manifest):
            if name not in manifest.files:
                raise PackError(
                    f"{folder / MANIFEST} lists no file '{name}', which every pack of its kind "
                    f"needs; make the pack anew with `edgeward pull`."
                )
        later = _only_of_others(manifest, graph)
        for name, entry in manifest.files.items():
            _check_file(folder / name, entry, check_hashes and name not in later)
        return cls(folder, manifest, hashlib.sha256(raw).hexdigest())

    def verify(self, graph: m.Graph) -> None:
        """Compare the hashes of a graph's files, which `open` was asked to leave out."""
        for name in (graph.file, graph.data):
            _check_file(self.path(name), self.manifest.files[name], True)

    def path(self, name: str) -> Path:
        """Path of a file that the manifest lists; `PackError` for any other name."""
        if name not in self.manifest.files:
            known = ", ".join(self.manifest.files)
            raise PackError(f"the pack {self.folder} has no file '{name}'; it has {known}.")
        return self.folder / name

    @property
    def template(self) -> str | None:
        """The chat template, or None for a model without one."""
        if TEMPLATE not in self.manifest.files:
            return None
        return self.path(TEMPLATE).read_text(encoding="utf-8")


def file_entry(path: Path) -> m.FileEntry:
    """Size and sha256 of a file, as a manifest states them."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return m.FileEntry(size=size, sha256=digest.hexdigest())


def _needed(manifest: m.Manifest) -> list[str]:
    graphs = manifest.graphs
    return [*(graph.file for graph in graphs), *(graph.data for graph in graphs), TOKENIZER]


def _only_of_others(manifest: m.Manifest, kind: str | None) -> set[str]:
    """Files that graphs of other kinds need and none of this kind does."""
    mine = {name for g in manifest.graphs if g.kind == kind for name in (g.file, g.data)}
    others = {name for g in manifest.graphs for name in (g.file, g.data)}
    return others - mine if mine else set()


def _read_manifest(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_MANIFEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise PackError(
            f"{folder} is not a pack: it has no {MANIFEST}. "
            f"`edgeward pull NAME` makes one; `edgeward pull --list` shows names."
        ) from None
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror}.") from None
    if len(raw) > _MAX_MANIFEST:
        raise PackError(f"{path} is over {_MAX_MANIFEST} bytes, which no manifest is.")
    return raw


def _manifest_problem(folder: Path, raw: bytes, problem: str) -> str:
    try:
        stated = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        stated = None
    stated_format = stated.get("format") if isinstance(stated, dict) else None
    if isinstance(stated_format, int) and stated_format != m.FORMAT:
        return (
            f"{folder / MANIFEST} has format {stated_format}; this version reads format "
            f"{m.FORMAT}. Update edgeward, or make the pack anew with `edgeward pull`."
        )
    return f"{folder / MANIFEST} is damaged: {problem}. Make the pack anew with `edgeward pull`."


def _check_file(path: Path, entry: m.FileEntry, check_hash: bool) -> None:
    try:
        info = path.lstat()
    except FileNotFoundError:
        raise PackError(f"{path} is missing; make the pack anew with `edgeward pull`.") from None
    if not stat.S_ISREG(info.st_mode):
        raise PackError(f"{path} is not a plain file; a pack holds no links, folders or devices.")
    if info.st_size != entry.size:
        raise PackError(
            f"{path} has {info.st_size} bytes, its manifest says {entry.size}: it is cut off or "
            f"was changed. Make the pack anew with `edgeward pull`."
        )
    if check_hash and (found := file_entry(path).sha256) != entry.sha256:
        raise PackError(
            f"{path} has sha256 {found}, its manifest says {entry.sha256}: it was changed. "
            f"Make the pack anew with `edgeward pull`."
        )
