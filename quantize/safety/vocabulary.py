"""The words that the encoder knows by themselves, and the vectors they start from.

Knows: which words are worth a row; a BERT-style folder's word-piece vectors (Apache-2.0:
all-MiniLM-L6-v2), cut down to the encoder's width by principal components. A word starts from the
mean of its pieces' vectors, so that words of like meaning start alike; training moves them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

_WORD = re.compile(r"\w+|[^\w\s]")
_COMMON = 6000
"""Words that a BERT vocabulary lists first are kept, seen or not: they are its most common."""


@dataclass(frozen=True)
class Vocabulary:
    """Hashes ascending, the words in the same order, and the number of rows for pieces."""

    hashes: NDArray[np.uint32]
    words: list[str]
    pieces: int


def choose(
    texts: Sequence[str], groups: Sequence[str], folder: Path, size: int, pieces: int
) -> Vocabulary:
    """The `size` words that matter most: those of many sources first, then the frequent ones."""
    counts: Counter[str] = Counter()
    seen: dict[str, set[str]] = defaultdict(set)
    for text, group in zip(texts, groups, strict=True):
        for word in set(_WORD.findall(text.lower().replace("'", "").replace("’", ""))):
            counts[word] += 1
            seen[word].add(group)
    known = _pieces(folder)
    for word in [w for w in known if w.isalpha() and len(w) > 1][:_COMMON]:
        counts[word] += 3
        seen[word].add("common")
    ranked = sorted(counts, key=lambda w: (-(counts[w] ** 0.5) * len(seen[w]), w))
    by_hash: dict[int, str] = {}
    for word in ranked:
        if counts[word] < 3 or len(by_hash) == size:
            break
        hashes = _native.safety_features(word)[1]
        if len(hashes) == 1:
            by_hash.setdefault(int(hashes[0]), word)
    order = sorted(by_hash)
    return Vocabulary(np.array(order, np.uint32), [by_hash[h] for h in order], pieces)


def start_rows(vocabulary: Vocabulary, folder: Path, width: int, seed: int) -> NDArray[np.float32]:
    """(words + pieces, width): principal components of the known vectors, noise for the rest."""
    from safetensors.numpy import load_file

    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    table = table.astype(np.float64) - table.mean(0)
    _, axes = np.linalg.eigh(table.T @ table)
    small = table @ axes[:, ::-1][:, :width]
    small /= (
        small.std(0) ** 0.5
    )  # the first components say much about frequency, little about sense
    small /= np.sqrt((small**2).mean())
    known = _pieces(folder)
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 0.3, (len(vocabulary.hashes) + vocabulary.pieces, width))
    for i, word in enumerate(vocabulary.words):
        cut = _cut(word, known)
        if cut:
            rows[i] = small[cut].mean(0)
    return np.asarray(0.5 * rows, np.float32)


def _pieces(folder: Path) -> dict[str, int]:
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return {piece: i for i, piece in enumerate(lines) if piece}


def _cut(word: str, known: dict[str, int]) -> list[int]:
    """Longest match first, as WordPiece does; empty where it fails."""
    found, begin = [], 0
    while begin < len(word):
        for end in range(len(word), begin, -1):
            piece = ("##" if begin else "") + word[begin:end]
            if piece in known:
                found.append(known[piece])
                begin = end
                break
        else:
            return []
    return found
