"""Measure a graph's loss on a text's ids, in bounded memory. Knows no tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import OptionError
from edgeward.manifest import Evaluation
from edgeward.quantize.weights import Weights

from .losses import Losses, compare, join
from .reference import LayeredReference
from .session import scorer

WINDOW = 512

# Logits held at once, of each side.
_LOGITS = 1 << 24


def measure(
    weights: Weights,
    graph: Path,
    ids: Sequence[int],
    *,
    text: str,
    text_sha256: str,
    window: int = WINDOW,
    most: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Compare the pack's `graph` with the float32 `weights` on `ids`, the ids of a text.

    The text is cut into windows of `window` ids, at most `most` of them; what is left over at the
    end is not used. `text` and `text_sha256` name it in the result. Raises `OptionError` for a
    text shorter than one window, or a window that the model's context cannot hold.
    """
    (measured,) = measure_all(
        weights,
        [graph],
        ids,
        text=text,
        text_sha256=text_sha256,
        window=window,
        most=most,
        threads=threads,
        progress=progress,
    )
    return measured


def measure_all(
    weights: Weights,
    graphs: Sequence[Path],
    ids: Sequence[int],
    *,
    text: str,
    text_sha256: str,
    window: int = WINDOW,
    most: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Evaluation]:
    """As `measure`, for several graphs over one pass of the reference."""
    context = weights.architecture.context
    if not 2 <= window <= context:
        raise OptionError(f"window={window} must lie in 2 .. {context}, the model's context.")
    windows = cut(ids, window, most)
    found = evaluate_graphs(weights, graphs, windows, threads=threads, progress=progress)
    return [_evaluation(losses, text, text_sha256, windows.shape) for losses in found]


def _evaluation(losses: Losses, text: str, text_sha256: str, shape: tuple[int, ...]) -> Evaluation:
    return Evaluation(
        text=text,
        text_sha256=text_sha256,
        windows=shape[0],
        window=shape[1],
        positions=losses.kl.size,
        mean_kl=float(losses.kl.mean()),
        p99_kl=float(np.percentile(losses.kl, 99)),
        top1_agreement=float(losses.same_choice.mean()),
        perplexity=float(np.exp(losses.nll.mean())),
        reference_perplexity=float(np.exp(losses.reference_nll.mean())),
    )


def cut(ids: Sequence[int], window: int, most: int | None = None) -> NDArray[np.int64]:
    """Windows of a text's ids: int64 (windows, window)."""
    count = len(ids) // window
    if count == 0:
        raise OptionError(
            f"the text has {len(ids)} tokens; at least one window of {window} is needed. "
            f"Give a longer text or a smaller window."
        )
    if most is not None:
        count = min(count, most)
    return np.asarray(ids[: count * window], np.int64).reshape(count, window)


def evaluate_windows(
    weights: Weights,
    graph: Path,
    windows: NDArray[np.int64],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Losses:
    """Losses of every position in the second half of each window."""
    return evaluate_graphs(weights, [graph], windows, threads=threads, progress=progress)[0]


def evaluate_graphs(
    weights: Weights,
    graphs: Sequence[Path],
    windows: NDArray[np.int64],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Losses]:
    """As `evaluate_windows`, for several graphs over one pass of the reference."""
    count, window = windows.shape
    start = window // 2
    total = weights.architecture.layers + count
    reference = LayeredReference(weights, threads)
    hidden = reference.hidden(windows, start, lambda done, _: progress(done, total))
    scorers = [scorer(graph, threads) for graph in graphs]
    many = max(1, _LOGITS // weights.architecture.vocabulary)
    losses: list[list[Losses]] = [[] for _ in graphs]
    for number, ids in enumerate(windows):
        all_logits = [one.logits(ids, start) for one in scorers]
        following = ids[start + 1 :]
        for begin in range(0, window - start, many):
            end = begin + many
            expected = reference.logits(hidden[number, begin:end])
            for found, logits in zip(losses, all_logits, strict=True):
                # compare() works in the arrays it is given.
                found.append(compare(expected.copy(), logits[begin:end], following[begin:end]))
        progress(total - count + number + 1, total)
    return [join(found) for found in losses]
