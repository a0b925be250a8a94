"""Rows in, the weights that ship out: `python -m edgeward.quantize.safety.train --help`.

Knows: the order of the work. Sources are dealt into folds; each is scored by scorers that learnt
from the others, made sentences by scorers that never saw their templates; calibration, thresholds
and figures come from those scores, so that they hold for styles never seen. Then the linear scorer
learns from everything anew, and the encoder of the last fold goes on with everything. Every step
draws from a seed: the same rows, libraries and machine give the same file. Needs numpy, torch,
safetensors.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edgeward.errors import EdgewardError

from . import across, calibrate, encoder, linear, model_file, vocabulary
from .encoder import Network
from .rows import HEADS, Row, load, weights

Floats = NDArray[np.float32]

BUCKETS, WORDS, PIECES = 1 << 16, 14_000, 4096
MOST_SCORED = 1000
STRICT, MOST_MISSED = 0.05, 0.005
RATE, RATE_AFTER = 5e-3, 3e-3

# What each fold leaves out, besides its part of the templates. Each of the three holds attacks,
# toxic text and benign prompts. Comments stay: without them nothing but tweets is left.
FOLDS = (
    ("neuralchemy", "stormfront", "diasafety", "clinc", "roleplay", "actas_zh"),
    ("slabs", "davidson", "banking", "codegen"),
    ("yanismiraoui", "wild", "hatemoji", "convabuse", "gsm", "selfinstruct", "toolformer"),
)

# Whose safe texts set the thresholds, each group counting the same; sentences that name people or
# swear at things belong to them, so that a threshold cannot be bought with those.
BENIGN = (
    "clinc", "banking", "gsm", "codegen", "roleplay", "toolformer", "selfinstruct", "actas_zh",
    "made_system", "made_user", "made_identity_neutral", "made_identity_counter",
    "made_identity_harmless",
)  # fmt: skip


@dataclass(frozen=True)
class EncoderInputs:
    """What the encoder reads of all rows, and what it starts from."""

    texts: encoder.Texts
    words: vocabulary.Vocabulary
    start: Floats
    shape: encoder.Shape

    @property
    def windows(self) -> NDArray[np.float64]:
        """log2 of the number of windows of each text, as the kernel counts them."""
        half = self.shape.window // 2
        beyond = np.maximum(np.diff(self.texts.starts) - self.shape.window, 0)
        return np.asarray(np.log2(1 + (beyond + half - 1) // half))


@dataclass(frozen=True)
class Corpus:
    """Rows with everything the scorers read of them, made once."""

    rows: list[Row]
    features: linear.Features
    seen: EncoderInputs | None
    """None where no encoder is wanted."""

    @classmethod
    def read(cls, folder: Path, vectors: Path | None, seed: int) -> Corpus:
        """From the folder of row files and, for an encoder, the folder of word vectors."""
        rows = load(folder, seed=seed)
        texts = [row.text for row in rows]
        seen = None
        if vectors is not None:
            shape = encoder.Shape()
            words = vocabulary.choose(texts, [r.group for r in rows], vectors, WORDS, PIECES)
            start = vocabulary.start_rows(words, vectors, shape.width, seed)
            seen = EncoderInputs(encoder.Texts.of(texts, words), words, start, shape)
        return cls(rows, linear.Features.of(texts, BUCKETS), seen)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(rows, heads): 1, 0 or -1."""
        return np.array([row.labels for row in self.rows])

    @property
    def groups(self) -> NDArray[np.str_]:
        """(rows,)."""
        return np.array([row.group for row in self.rows])


@dataclass(frozen=True)
class Scorers:
    """Both, after learning, or the linear one alone."""

    linear: linear.LinearFit
    encoder: Network | None

    @classmethod
    def learn(
        cls,
        corpus: Corpus,
        chosen: NDArray[np.int64],
        epochs: float,
        seed: int,
        before: Network | None = None,
    ) -> Scorers:
        """From the rows `chosen`; the encoder goes on from `before` where that is given."""
        own = [corpus.rows[i] for i in chosen]
        counts = np.zeros(corpus.labels.shape, np.float32)
        counts[chosen] = np.stack([weights(own, h) for h in range(len(HEADS))], axis=1)
        labels = np.maximum(corpus.labels, 0).astype(np.float32)
        fitted = linear.fit(corpus.features, labels, counts, BUCKETS)
        seen = corpus.seen
        if seen is None:
            return cls(fitted, None)
        network = encoder.fit(
            seen.texts, chosen, labels, counts, seen.start, seen.shape,
            epochs=epochs, seed=seed, tell=_tell, network=before,
            rate=RATE if before is None else RATE_AFTER,
        )  # fmt: skip
        return cls(fitted, network)

    def inputs(self, corpus: Corpus, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """(chosen, heads, 3): linear logit, encoder logit, log2 windows; the last two may be 0."""
        line = self.linear.logits(corpus.features.chosen(chosen))
        encoded = length = np.zeros_like(line)
        if corpus.seen is not None and self.encoder is not None:
            encoded = encoder.logits(self.encoder, corpus.seen.texts, chosen)
            length = np.repeat(corpus.seen.windows[chosen][:, None], len(HEADS), axis=1)
        return np.stack([line, encoded, length], axis=2).astype(np.float64)


def across_sources(
    corpus: Corpus, epochs: float, seed: int
) -> tuple[NDArray[np.float64], Network | None]:
    """(rows, heads, 3) of rows scored by scorers that saw nothing of their source; an encoder.

    The encoder is the one of the last fold. What is not scored is NaN: sources that no fold leaves
    out, and of a source's rows of one label all but the first MOST_SCORED.
    """
    groups, parts = corpus.groups, np.array([row.part for row in corpus.rows])
    found = np.full((len(corpus.rows), len(HEADS), 3), np.nan)
    network: Network | None = None
    for fold, names in enumerate(FOLDS):
        left_out = np.where(parts >= 0, parts == fold, np.isin(groups, names))
        print(f"fold {fold}: {left_out.sum()} of {len(left_out)} rows left out", flush=True)
        scorers = Scorers.learn(corpus, np.flatnonzero(~left_out), epochs, seed)
        scored = _first_of_each(corpus, np.flatnonzero(left_out))
        found[scored] = scorers.inputs(corpus, scored)
        network = scorers.encoder
    return found, network


def _first_of_each(corpus: Corpus, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    counts: Counter[tuple[str, tuple[int, int]]] = Counter()
    kept = []
    for i in chosen.tolist():
        place = (corpus.rows[i].group, corpus.rows[i].labels)
        counts[place] += 1
        if counts[place] <= MOST_SCORED:
            kept.append(i)
    return np.array(kept)


def heads_of(corpus: Corpus, inputs: NDArray[np.float64]) -> list[model_file.Head]:
    """Calibration and thresholds of each head from scores across sources."""
    groups, labels = corpus.groups, corpus.labels
    seen = ~np.isnan(inputs[:, 0, 0])
    found = []
    for head, name in enumerate(HEADS):
        used = np.flatnonzero(seen & (labels[:, head] >= 0))
        counts = np.array(weights([corpus.rows[i] for i in used], head))
        own = labels[used, head].astype(np.float64)
        # Not the length: our long rows are mostly safe, and padding would become a way around.
        both = calibrate.fit(
            inputs[used, head], own, counts, used=(True, corpus.seen is not None, False)
        )
        line = calibrate.fit(inputs[used, head], own, counts, used=(True, False, False))
        short = inputs[:, head, 2] == 0
        combined = both.probability(inputs[:, head])
        benign = seen & np.isin(groups, BENIGN) & (labels[:, head] == 0)
        ((_, strict),) = calibrate.thresholds(combined[benign], groups[benign].tolist(), [STRICT])
        # Below `start` lie few of the short unsafe texts that the strictest level would flag.
        unsafe = seen & short & (labels[:, head] == 1) & (combined >= strict)
        start = calibrate.weighted_quantile(
            inputs[unsafe, head, 0], groups[unsafe].tolist(), MOST_MISSED
        )
        alone = short & (inputs[:, head, 0] < start)
        scores = np.where(alone, line.probability(inputs[:, head]), combined)
        gate = (line.factors[0], line.bias, start)
        if corpus.seen is None:
            scores, gate = combined, (*gate[:2], -1e6)
        limits = calibrate.thresholds(scores[benign], groups[benign].tolist())
        found.append(model_file.Head(name, (*both.factors, both.bias), gate, limits))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write; prints the file's sha256 and the thresholds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=Path, required=True, help="folder of the row files")
    parser.add_argument(
        "--vectors", type=Path, help="folder of all-MiniLM-L6-v2; no encoder without"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--epochs", type=float, default=1.5, help="of the encoder, each fold")
    parser.add_argument("--more", type=float, default=1.0, help="epochs on everything after that")
    parser.add_argument("--figures", type=Path, help="file for the figures across sources, JSON")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if chosen.vectors is not None and not chosen.vectors.is_dir():
        raise EdgewardError(f"--vectors {chosen.vectors} is no folder; unpack all-MiniLM-L6-v2.")
    torch.set_num_threads(chosen.threads)
    corpus = Corpus.read(chosen.rows, chosen.vectors, chosen.seed)
    scores, network = across_sources(corpus, chosen.epochs, chosen.seed)
    heads = heads_of(corpus, scores)
    if chosen.figures:
        rows = [(row.group, row.labels) for row in corpus.rows]
        said = across.figures(rows, scores, heads, BENIGN)
        chosen.figures.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    everything = np.arange(len(corpus.rows))
    scorers = Scorers.learn(corpus, everything, chosen.more, chosen.seed, network)
    numbers = None
    if corpus.seen is not None and scorers.encoder is not None:
        numbers = scorers.encoder.numbers(corpus.seen.words)
    data = model_file.pack(heads, scorers.linear.weights, scorers.linear.bias, numbers)
    chosen.out.write_bytes(data)
    told = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    print(json.dumps(told | {head.name: (head.alone, head.thresholds) for head in heads}))


def _tell(step: int, steps: int, loss: float) -> None:
    print(f"  step {step} of {steps}, loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
