"""Which graph each pack of the store runs on this machine, and why where it is not the fused one.

Opens a session of the fused graph, which is what finds a layout or a format that this build does
not take; weights stay on disk, and hashes are left to `edgeward verify`.
"""

from __future__ import annotations

from edgeward import fused_runs, store
from edgeward.engine import open_session
from edgeward.errors import EdgewardError
from edgeward.kernels import operators
from edgeward.pack import Pack


def graphs() -> dict[str, str]:
    """For each pack "fused", or "portable: " and the reason, or what is wrong with the pack."""
    return {name: graph_of(name) for name in store.pack_names()}


def graph_of(name: str) -> str:
    """The same for one pack."""
    try:
        pack = Pack.open(store.pack_folder(name), check_hashes=False)
    except EdgewardError as error:
        return f"cannot be opened: {error}"
    fused = next((g for g in pack.manifest.graphs if g.kind == "fused"), None)
    if pack.manifest.embedding is not None:
        return "portable: encoders have no other"
    if fused is None:
        return (
            "portable: the pack has no fused graph, because the operators did not take the model, "
            "or an earlier version made the pack"
        )
    if (against := fused_runs.reason_against()) is not None:
        return f"portable: {against}"
    try:
        open_session(pack.path(fused.file), threads=1, operators_in=operators.LIBRARY)
    except EdgewardError as error:
        return f"portable: {error}"
    return "fused"
