"""What `edgeward eval` reports: the words of its JSON, which docs/quality.md explains.

Format 1. Fields are only ever added; what they mean does not change within a format.
"""

from __future__ import annotations

import msgspec

from .intervals import Interval

FORMAT = 1


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts of a report share."""


class PackFacts(Part, frozen=True):
    """The pack: `bytes` of all its files, `graph_bytes` of the measured graph and its weights,
    `weight_bytes` of its matrices alone, `bits_per_weight` of these."""

    name: str
    sha256: str
    graph: str
    bytes: int
    graph_bytes: int
    weight_bytes: int
    bits_per_weight: float


class ReferenceFacts(Part, frozen=True):
    """What it was compared with: `kind` "gguf", "safetensors" or "pack"."""

    kind: str
    path: str


class TextFacts(Part, frozen=True):
    """What it was measured on: `windows` of `window` tokens, `positions` scored in all."""

    name: str
    sha256: str
    windows: int
    window: int
    positions: int


class Divergence(Part, frozen=True):
    """Greedy continuations of `prompts` prompts by `tokens` tokens, pack against reference.

    `mean` and `median` tokens that are the same before the first that differs (`tokens` where none
    does), `same` the share of continuations without a difference.
    """

    prompts: int
    tokens: int
    mean: Interval
    median: float
    same: float


class VectorFigures(Part, frozen=True):
    """An encoder's vectors of `texts` texts against the reference's.

    `rank_correlation` is Spearman's, between the similarities of all pairs of texts by the one and
    by the other; `mean_cosine` and `min_cosine` are those of a text's two vectors.
    """

    texts: int
    rank_correlation: Interval
    mean_cosine: float
    min_cosine: float


class Report(Part, frozen=True, omit_defaults=True):
    """All of it. Without a reference there is `perplexity` only; an encoder has `vectors` only."""

    format: int
    edgeward: str
    pack: PackFacts
    text: TextFacts
    reference: ReferenceFacts | None = None
    perplexity: Interval | None = None
    reference_perplexity: Interval | None = None
    mean_kl: Interval | None = None
    p99_kl: Interval | None = None
    top1_agreement: Interval | None = None
    greedy: Divergence | None = None
    vectors: VectorFigures | None = None


def encode(report: Report) -> bytes:
    """The report as one line of JSON."""
    return msgspec.json.encode(report)
