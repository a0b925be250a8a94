"""From a local encoder to a pack folder: the order of the steps. `convert` is for decoders."""

from __future__ import annotations

import json
from pathlib import Path

from edgeward import manifest as m
from edgeward.errors import IntakeError, OptionError
from edgeward.pack import CARD, COMPILED_TOKENIZER, MANIFEST, TOKENIZER, WEIGHTS, file_entry
from edgeward.tokenizer import Tokenizer
from edgeward.vocabularies.compiled import compile_tokenizer

from . import encoders
from .card import card
from .convert import BITS, GRAPH, groups, versions
from .encoders import Encoder
from .graph import encoder as graph_of
from .graph.data_file import DataFile
from .graph.matrices import BlockMatrices, FloatMatrices, Matrices, Precision
from .pack import atomic_folder, write_bytes


def convert_encoder(
    model: Path,
    out: Path,
    *,
    name: str,
    source: m.Source,
    licence: str,
    tokenizer: bytes,
    bits: int = 8,
) -> m.Manifest:
    """Make the pack `out` of the encoder in the Hugging Face folder `model`.

    `bits` is 8 or 32; the rest is as in `convert.convert`.
    """
    if bits not in BITS:
        raise OptionError(f"bits={bits!r} is not known; choose one of {BITS}.")
    weights = encoders.read(model)
    tokenizer = _unpadded(tokenizer)
    with atomic_folder(out) as folder:
        write_bytes(folder / TOKENIZER, tokenizer)
        compiled = compile_tokenizer(tokenizer)
        if compiled is not None:
            write_bytes(folder / COMPILED_TOKENIZER, compiled)
        size = Tokenizer.from_file(folder / TOKENIZER).vocab_size
        if size > weights.encoder.vocabulary:
            raise IntakeError(
                f"the tokenizer has {size} ids, the model's embedding only "
                f"{weights.encoder.vocabulary} rows: they do not belong together."
            )
        with DataFile(folder / WEIGHTS) as data:
            matrices: Matrices = (
                FloatMatrices(data) if bits == 32 else BlockMatrices(data, lambda _: Precision())
            )
            graph = graph_of.build(weights, data, matrices, data_name=WEIGHTS)
        write_bytes(folder / GRAPH, graph.SerializeToString(deterministic=True))
        names = [GRAPH, WEIGHTS, TOKENIZER]
        names += [COMPILED_TOKENIZER] if compiled is not None else []
        shape = weights.encoder
        manifest = m.Manifest(
            format=1,
            name=name,
            licence=licence,
            created_with=versions(),
            source=source,
            architecture=_shape(shape),
            graphs=[m.Graph(file=GRAPH, kind="portable")],
            quantization=groups(matrices.stored),
            generation=m.Generation(stop_ids=[]),
            evaluation=None,
            files={file: file_entry(folder / file) for file in names},
            embedding=m.Embedding(
                dimension=shape.hidden,
                longest=shape.longest,
                pooling=shape.pooling,
                normalized=shape.normalize,
            ),
        )
        write_bytes(folder / CARD, card(manifest).encode())
        manifest.files[CARD] = file_entry(folder / CARD)
        write_bytes(folder / MANIFEST, m.encode(manifest))
    return manifest


def _unpadded(tokenizer: bytes) -> bytes:
    """Without truncation and padding: both are the embedder's, which says when it cuts."""
    try:
        document = json.loads(tokenizer)
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"tokenizer.json is damaged: {error}. Fetch it again.") from None
    if not isinstance(document, dict):
        raise IntakeError("tokenizer.json holds no JSON object. Fetch it again.")
    document |= {"truncation": None, "padding": None}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _shape(encoder: Encoder) -> m.Architecture:
    return m.Architecture(
        family="bert",
        layers=encoder.layers,
        hidden=encoder.hidden,
        intermediate=encoder.intermediate,
        heads=encoder.heads,
        kv_heads=encoder.heads,
        head_dim=encoder.hidden // encoder.heads,
        vocabulary=encoder.vocabulary,
        context=encoder.positions,
        rope_theta=0.0,
        norm_epsilon=encoder.norm_epsilon,
        tied_head=False,
    )
