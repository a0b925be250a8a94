"""A pack that is left with one of its graphs, so that whatever loads it runs that one.

EDGEWARD_TEST_GRAPH=portable (or fused) makes the shared fixtures such packs: the same tests, the
same processes that they start, on the other graph. Knows the manifest; does not know pytest.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from edgeward.pack import MANIFEST

CHOSEN = os.environ.get("EDGEWARD_TEST_GRAPH") or None
if CHOSEN not in (None, "portable", "fused"):
    raise ValueError(f"EDGEWARD_TEST_GRAPH={CHOSEN!r}; it is 'portable', 'fused' or unset")


def one_graph(pack: Path, kind: str, folder: Path) -> Path:
    """`pack` with the graph `kind` alone, in `folder`: links to its files, its own manifest."""
    manifest = json.loads((pack / MANIFEST).read_bytes())
    manifest["graphs"] = [graph for graph in manifest["graphs"] if graph["kind"] == kind]
    if not manifest["graphs"]:
        raise ValueError(f"{pack} has no {kind} graph")
    folder.mkdir(parents=True, exist_ok=True)
    for name in manifest["files"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _link(pack / name, folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def _link(old: Path, new: Path) -> None:
    new.unlink(missing_ok=True)
    try:
        os.link(old, new)
    except OSError:  # another file system
        new.write_bytes(old.read_bytes())
