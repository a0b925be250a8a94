"""What a recording says of the pack it measured."""

from __future__ import annotations

from edgeward import manifest as m
from edgeward.model import Model
from edgeward.pack import Pack

from ..records import Subject


def subject(model: Model) -> Subject:
    """Name, hash of the manifest, sizes; of the graph that runs."""
    info = model.info
    manifest = Pack.open(info.folder, check_hashes=False).manifest
    graph = next(graph for graph in manifest.graphs if graph.file == info.graph)
    groups = graph.quantization or manifest.quantization
    return Subject(
        name=info.name,
        sha256=info.pack_sha256,
        graph=info.graph_kind,
        threads=info.threads,
        bytes=sum(entry.size for entry in manifest.files.values()),
        weight_bytes=sum(group.bytes for group in groups),
        parameters=_parameters(info.architecture),
    )


def _parameters(a: m.Architecture) -> int:
    """Numbers in the matrices that a token is multiplied with; a tied head counts once."""
    width = a.head_dim * (2 * a.heads + 2 * a.kv_heads)
    return a.layers * a.hidden * (width + 3 * a.intermediate) + a.vocabulary * a.hidden
