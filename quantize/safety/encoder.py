"""Learns the encoder: word vectors, two causal convolutions, pools over windows.

Knows: words as hashes, labels, weights of rows. Does not know: files of rows, calibration. The
layers are those of kernels/safety/encoder_state.h; the highest window gives the text's logit, so a
window is learnt from the worst passage of a text (multiple-instance learning). Needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeward.kernels import _native

from . import model_file
from .vocabulary import Vocabulary

Floats = NDArray[np.float32]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder; `window` in words."""

    width: int = 32
    channels: int = 48
    hidden: int = 32
    window: int = 64
    longest: int = 96
    """Words of a text that training reads: a random run of a longer one."""


@dataclass(frozen=True)
class Texts:
    """Texts as indices of distinct words: those of text i are tokens[starts[i]:starts[i + 1]]."""

    tokens: NDArray[np.int32]
    starts: Longs
    known: NDArray[np.int64]
    """For each distinct word its row in the vocabulary, or -1."""
    pieces: list[NDArray[np.int64]]
    """For each distinct word the rows of its pieces, behind those of the vocabulary."""

    @classmethod
    def of(cls, texts: Sequence[str], vocabulary: Vocabulary) -> Texts:
        """Cut `texts` into words."""
        hashes, counts, parts = [], [], []
        for text in texts:
            _, own, starts, pieces = _native.safety_features(text)
            hashes.append(own)
            counts.append(np.diff(starts.astype(np.int64)))
            parts.append(pieces)
        distinct, first, tokens = np.unique(
            np.concatenate(hashes), return_index=True, return_inverse=True
        )
        rows = (np.concatenate(parts) & np.uint32(vocabulary.pieces - 1)).astype(np.int64)
        rows += len(vocabulary.hashes)
        ends = np.cumsum(np.concatenate(counts))
        begins = ends - np.concatenate(counts)
        at = np.minimum(np.searchsorted(vocabulary.hashes, distinct), len(vocabulary.hashes) - 1)
        known = np.where(vocabulary.hashes[at] == distinct, at, -1)
        return cls(
            tokens.astype(np.int32),
            np.cumsum([0, *map(len, hashes)]),
            known,
            [rows[begins[i] : ends[i]] for i in first],
        )

    def batch(
        self, rows: Longs, shape: Shape, rng: np.random.Generator | None
    ) -> tuple[Tensor, ...]:
        """(row ids, offsets, lengths) of the texts; with `rng`, words go missing or to pieces."""
        runs = []
        for row in rows:
            run = self.tokens[self.starts[row] : self.starts[row + 1]]
            if len(run) > shape.longest:
                begin = 0
                if rng is not None and rng.random() < 0.5:
                    begin = int(rng.integers(0, len(run) - shape.longest))
                run = run[begin : begin + shape.longest] if rng is not None else run
            runs.append(run)
        lengths = np.array([max(len(run), 1) for run in runs])
        longest = int(lengths.max())
        grid = np.full((len(rows), longest), -1, np.int64)
        for i, run in enumerate(runs):
            grid[i, : len(run)] = run
        flat = grid.ravel()
        rolls = np.ones(len(flat)) if rng is None else rng.random(len(flat))
        sizes = np.zeros(len(flat), np.int64)
        known = np.where(flat >= 0, self.known[flat], -1)
        whole = (known >= 0) & (rolls > 0.12)
        broken = np.flatnonzero((flat >= 0) & ~whole & (rolls > 0.05))
        sizes[whole] = 1
        parts = [self.pieces[flat[i]] for i in broken]
        sizes[broken] = [len(p) for p in parts]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        joined = np.empty(offsets[-1], np.int64)
        joined[offsets[:-1][whole]] = known[whole]
        for at, part in zip(broken, parts, strict=True):
            joined[offsets[at] : offsets[at] + len(part)] = part
        return torch.from_numpy(joined), torch.from_numpy(offsets[:-1]), torch.from_numpy(lengths)


class Network(nn.Module):  # type: ignore[misc]
    """(row ids, offsets, lengths) -> (texts, heads) logits."""

    def __init__(self, rows: Floats, shape: Shape, heads: int) -> None:
        super().__init__()
        self.shape = shape
        self.rows = nn.EmbeddingBag.from_pretrained(
            torch.from_numpy(rows), freeze=False, mode="mean"
        )
        self.first = nn.Conv1d(shape.width, shape.channels, 3)
        self.second = nn.Conv1d(shape.channels, shape.channels, 3, dilation=2)
        self.third = nn.Linear(2 * shape.channels, shape.hidden)
        self.last = nn.Linear(shape.hidden, heads)

    def forward(self, ids: Tensor, offsets: Tensor, lengths: Tensor) -> Tensor:
        """The highest window's logit for each head."""
        words = self.rows(ids, offsets).view(len(lengths), -1, self.shape.width)
        words = nn.functional.dropout(words, 0.1, self.training)
        first = nn.functional.pad(words.transpose(1, 2), (2, 0))
        first = torch.relu(self.first(first))
        second = torch.relu(self.second(nn.functional.pad(first, (4, 0)))) + first
        return self._windows(second, lengths)

    def _windows(self, features: Tensor, lengths: Tensor) -> Tensor:
        window, half = self.shape.window, self.shape.window // 2
        best: Tensor | None = None
        for start in range(0, features.shape[2], half):
            counts = start == 0
            here = features[:, :, start : start + window]
            left = (lengths - start).clamp(0, here.shape[2])
            if not counts and not bool((lengths > start + half).any()):
                break
            inside = (torch.arange(here.shape[2])[None] < left[:, None])[:, None]
            highest = here.masked_fill(~inside, -1e9).amax(2)
            highest = torch.where(left[:, None] > 0, highest, torch.zeros_like(highest))
            mean = (here * inside).sum(2) / left.clamp(min=1)[:, None]
            pooled = nn.functional.dropout(torch.cat([highest, mean], 1), 0.2, self.training)
            logits = self.last(torch.relu(self.third(pooled)))
            if best is None:
                best = logits
            else:
                open_ = (lengths > start + half)[:, None]
                best = torch.where(open_, torch.maximum(best, logits), best)
        assert best is not None
        return best

    def numbers(self, vocabulary: Vocabulary) -> model_file.Encoder:
        """As the file holds them; a convolution's last tap is the word itself, ours the first."""

        def taps(conv: nn.Conv1d) -> tuple[Floats, Floats]:
            w = conv.weight.detach().numpy()[:, :, ::-1]
            return w.transpose(2, 1, 0).reshape(-1, w.shape[0]).copy(), conv.bias.detach().numpy()

        def dense(layer: nn.Linear) -> tuple[Floats, Floats]:
            return layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy()

        rows = self.rows.weight.detach().numpy()
        known = len(vocabulary.hashes)
        layers = (taps(self.first), taps(self.second), dense(self.third), dense(self.last))
        return model_file.Encoder(
            vocabulary.hashes, rows[:known], rows[known:], self.shape.window, layers
        )


def fit(
    texts: Texts, chosen: Longs, labels: Floats, weights: Floats, rows: Floats, shape: Shape, *,
    epochs: float, seed: int = 7, rate: float = 5e-3, tell: Callable[[int, int, float], None],
    network: Network | None = None,
) -> Network:  # fmt: skip
    """Train on the rows `chosen` of `texts`; `labels` and `weights` belong to all of them.

    Starts from the word vectors `rows`, or goes on with `network`, which is changed.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = network or Network(rows.copy(), shape, labels.shape[1])
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    lengths = np.minimum(np.diff(texts.starts), shape.longest)
    size = 2048  # words of a batch: many small steps learn more than few large ones
    steps = int(epochs * lengths[chosen].sum() / size * 1.1) + 1
    step, running = 0, 0.0
    while step < steps:
        for batch in _batches(chosen, lengths, size, rng):
            if step >= steps:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / 50) * (1 - step / steps)
            logits = network(*texts.batch(batch, shape, rng))
            target = torch.from_numpy(labels[batch]) * 0.96 + 0.02
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, target, torch.from_numpy(weights[batch])
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            running += 0.02 * (loss.item() - running) if step else loss.item()
            step += 1
            if step % 100 == 0:
                tell(step, steps, running)
    network.eval()
    return network


def _batches(chosen: Longs, lengths: Longs, size: int, rng: np.random.Generator) -> list[Longs]:
    """Texts of like length together, about `size` words a batch, in random order."""
    order = chosen[np.argsort(lengths[chosen] * rng.uniform(0.6, 1.4, len(chosen)), kind="stable")]
    batches, begin = [], 0
    while begin < len(order):
        longest = max(int(lengths[order[begin]]), 8)
        count = max(8, size // max(int(longest * 1.4), 8))
        batches.append(order[begin : begin + count])
        begin += count
    return [batches[i] for i in rng.permutation(len(batches))]


def logits(network: Network, texts: Texts, chosen: Longs) -> Floats:
    """(chosen, heads), of whole texts."""
    lengths = np.diff(texts.starts)
    out = np.zeros((len(chosen), network.last.out_features), np.float32)
    order = np.argsort(lengths[chosen], kind="stable")
    with torch.no_grad():
        for begin in range(0, len(order), 128):
            rows = order[begin : begin + 128]
            out[rows] = network(*texts.batch(chosen[rows], network.shape, None)).numpy()
    return out
