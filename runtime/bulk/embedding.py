"""The task "embed": a text in, a vector out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeward.model import Model

from .row import Row, text_of
from .worker import Worker


class Embedding(Worker):
    """Vectors of texts, with the encoder in `model`."""

    TOGETHER = True

    def __init__(
        self, model: Model, keep: Sequence[str], *, field: str | None, truncate: bool
    ) -> None:
        super().__init__(keep)
        model.embed([])  # a model that writes text is refused here, not at every row
        self._model, self._field, self._truncate = model, field or "text", truncate
        self._receipt = {
            "pack": model.info.name,
            "pack_sha256": model.info.pack_sha256,
            "graph": model.info.graph,
            "truncate": truncate,
        }

    def prepare(self, row: Row, value: Mapping[str, Any]) -> str:
        return text_of(value, self._field)

    def answer(self, prepared: Sequence[str]) -> list[dict[str, Any]]:
        vectors = self._model.embed(prepared, truncate=self._truncate)
        # Nine digits give back the same float32.
        return [
            {"vector": [float(f"{x:.9g}") for x in vector], "receipt": self._receipt}
            for vector in vectors.tolist()
        ]

    def close(self) -> None:
        self._model.close()
