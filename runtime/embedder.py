"""Runs an encoder's graph: texts in, one vector each out.

Knows the graph's inputs and outputs (docs/pack.md) and how to put texts of like length together.
Does not know packs' manifests beyond their embedding, nor requests. Every run frees the GIL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import manifest as m
from .errors import ContextOverflow, OptionError, PackError
from .tokenizer import Tokenizer

# Tokens of one run, padding included: enough for the matrix kernels, few enough to bound memory.
BATCH_TOKENS = 2048


class Embedder:
    """One encoder; many threads may call it at once."""

    def __init__(
        self, session: Any, tokenizer: Tokenizer, embedding: m.Embedding, graph: Path
    ) -> None:
        self.embedding = embedding
        self._session = session
        self._tokenizer = tokenizer
        self._check(graph)

    def embed(self, texts: str | Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """A vector for each text: float32 (texts, dimension), in the order given.

        A text of more than `embedding.longest` tokens is a `ContextOverflow`, or with `truncate`
        is cut to that many, the closing special token kept. What shares a run does not matter
        beyond rounding (about 1e-6): texts are put together by length.
        """
        texts = _checked(texts)
        ids = [self._ids(number, text, truncate) for number, text in enumerate(texts)]
        vectors = np.empty((len(ids), self.embedding.dimension), np.float32)
        for batch in _batches([len(row) for row in ids]):
            vectors[batch] = self._run([ids[number] for number in batch])
        return vectors

    def _ids(self, number: int, text: str, truncate: bool) -> list[int]:
        ids = self._tokenizer.encode(text)
        longest = self.embedding.longest
        if len(ids) <= longest:
            return ids
        if not truncate:
            raise ContextOverflow(
                f"text {number} has {len(ids)} tokens; this model reads at most {longest}. Cut it "
                f"into pieces, or allow its beginning alone with truncate=True."
            )
        return [*ids[: longest - 1], ids[-1]]

    def _run(self, rows: list[list[int]]) -> NDArray[np.float32]:
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.int32)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        (vectors,) = self._session.run(["vector"], {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)

    def _check(self, graph: Path) -> None:
        """The graph must take and give what the manifest says."""
        found = {node.name: node.type for node in self._session.get_inputs()}
        expected = {"input_ids": "tensor(int64)", "attention_mask": "tensor(int32)"}
        outputs = {node.name: node.shape[-1] for node in self._session.get_outputs()}
        if found != expected or outputs != {"vector": self.embedding.dimension}:
            raise PackError(
                f"{graph}: inputs {found} and outputs {outputs} are not those of an encoder of "
                f"{self.embedding.dimension} numbers. Make the pack anew."
            )


def _checked(texts: str | Sequence[str]) -> list[str]:
    listed = [texts] if isinstance(texts, str) else list(texts)
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            raise OptionError(f"text {number} is a {type(text).__name__}; give texts (str).")
    return listed


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Numbers of the texts of each run: of like length, at most `BATCH_TOKENS` with padding."""
    batch: list[int] = []
    # Longest first: the padded length of a batch is that of its first text.
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
