"""Measure a graph's loss on a text's ids, in bounded memory. Knows no tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import OptionError
from edgeward.manifest import Evaluation
from edgeward.quantize.weights import Weights
from edgeward.scorer import scorer

from .losses import Losses, compare, join
from .reference import LayeredReference

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
    begin: Sequence[int] = (),
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Compare the pack's `graph` with the float32 `weights` on `ids`, the ids of a text.

    The text is cut into windows of `window` ids, at most `most` of them; what is left over at the
    end is not used; each begins with the ids `begin`. `text` and `text_sha256` name it in the
    result. Raises `OptionError` for a text shorter than one window, or a window that the model's
    context cannot hold.
    """
    (measured,) = measure_all(
        weights,
        [graph],
        ids,
        text=text,
        text_sha256=text_sha256,
        window=window,
        most=most,
        begin=begin,
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
    begin: Sequence[int] = (),
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Evaluation]:
    """As `measure`, for several graphs over one pass of the reference."""
    context = weights.architecture.context
    if not 2 <= window <= context:
        raise OptionError(f"window={window} must lie in 2 .. {context}, the model's context.")
    windows = cut(ids, window, most, begin)
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


def cut(
    ids: Sequence[int], window: int, most: int | None = None, begin: Sequence[int] = ()
) -> NDArray[np.int64]:
    """Windows of a text's ids: int64 (windows, window), each beginning with the ids `begin`."""
    text = window - len(begin)
    count = len(ids) // text if text > 0 else 0
    if count == 0:
        raise OptionError(
            f"the text has {len(ids)} tokens; at least one window of {window} is needed. "
            f"Give a longer text or a smaller window."
        )
    if most is not None:
        count = min(count, most)
    rows = np.asarray(ids[: count * text], np.int64).reshape(count, text)
    return np.concatenate(
        [np.broadcast_to(np.asarray(begin, np.int64), (count, len(begin))), rows], 1
    )


def pieces(positions: int, vocabulary: int) -> Iterator[tuple[int, int]]:
    """First and last of runs of positions whose logits are few enough to be held at once."""
    many = max(1, _LOGITS // vocabulary)
    for begin in range(0, positions, many):
        yield begin, min(begin + many, positions)


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
    losses: list[list[Losses]] = [[] for _ in graphs]
    for number, ids in enumerate(windows):
        all_logits = [one.logits(ids, start) for one in scorers]
        following = ids[start + 1 :]
        for begin, end in pieces(window - start, weights.architecture.vocabulary):
            expected = reference.logits(hidden[number, begin:end])
            for found, logits in zip(losses, all_logits, strict=True):
                # compare() works in the arrays it is given.
                found.append(compare(expected.copy(), logits[begin:end], following[begin:end]))
        progress(total - count + number + 1, total)
    return [join(found) for found in losses]
