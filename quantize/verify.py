"""Everything that can be said about a pack without trusting it. Knows packs; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import edgeward
from edgeward import golden
from edgeward.graph_file import check_graph
from edgeward.pack import Pack

from . import sign


@dataclass(frozen=True)
class Verified:
    """What was checked. `signed`: by the key that was given (None: no key was given)."""

    name: str
    sha256: str
    files: int
    bytes: int
    graphs: tuple[str, ...]
    signed: bool | None
    ran: bool
    prompts: int
    """Stored prompts that were asked again and answered as when the pack was made."""


def verify(pack: Path, *, key: Path | None = None, run: bool = True) -> Verified:
    """Check the pack in folder `pack`: hashes, bounds, signature, and that it runs.

    Every file must have its size and sha256; every graph must use known operators only and point
    to weights inside their file; with `key` (public, PEM) the signature must be that key's; with
    `run` the prompts stored in the manifest are asked again and the model is loaded and computes
    one step. Raises `PackError` for the first that is not
    so, naming the file.
    """
    opened = Pack.open(pack)
    manifest = opened.manifest
    for graph in manifest.graphs:
        check_graph(opened.path(graph.file), graph.data, manifest.files[graph.data].size)
    if key is not None:
        sign.check(pack, key)
    asked = 0
    if run:
        asked = golden.check(opened)
        _run_once(pack, encoder=manifest.embedding is not None)
    return Verified(
        name=manifest.name,
        sha256=opened.sha256,
        files=len(manifest.files) + 1,
        bytes=sum(entry.size for entry in manifest.files.values()),
        graphs=tuple(graph.kind for graph in manifest.graphs),
        signed=None if key is None else True,
        ran=run,
        prompts=asked,
    )


def _run_once(pack: Path, *, encoder: bool) -> None:
    with edgeward.load(pack, context=None if encoder else 16) as model:
        if encoder:
            model.embed("a")
        else:
            model.generate([0, 0], max_tokens=1, temperature=0)
