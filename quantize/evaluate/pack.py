"""Evaluate a pack on a text against its source's weights. Knows packs, texts and tokenizers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from edgeward.errors import OptionError
from edgeward.manifest import Evaluation
from edgeward.pack import TOKENIZER, Pack
from edgeward.quantize.intake import read_model
from edgeward.quantize.weights import Weights
from edgeward.tokenizer import Tokenizer

from .measure import WINDOW, measure_all

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Text:
    """A text to be measured on; `name` is for people."""

    name: str
    content: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


def builtin_text() -> Text:
    """Nine kilobytes of our own: prose on several subjects, talk, lists, a little code."""
    content = files("edgeward.quantize.evaluate").joinpath("text.txt").read_text("utf-8")
    return Text("edgeward's built-in text", content)


def read_text(path: Path) -> Text:
    """A UTF-8 text file; `OptionError` if it is none."""
    try:
        return Text(path.name, path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise OptionError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from None
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}. Give a text file.") from None


def evaluate_pack(
    pack: Path,
    reference: Path,
    text: Text | None = None,
    *,
    window: int | None = None,
    windows: int | None = None,
    threads: int | None = None,
    graph: str = "portable",
    progress: Step = lambda done, total: None,
) -> Evaluation:
    """Measure the loss of the pack in the folder `pack` against the model `reference`.

    Args:
        pack: a pack's folder.
        reference: the GGUF file or Hugging Face folder that it was made from.
        text: what to measure on; by default the built-in text.
        window: tokens read together, at most 512 by default.
        windows: how many at most; by default as many as the text has.
        threads: of arithmetic; by default one for each core this process may use.
        graph: kind of the graph, "portable" or "fused".
        progress: told (done, total) after each layer and each window.

    Raises `PackError`, `IntakeError`, `OptionError` (a text that is too short, a graph that the
    pack does not have), `TokenizerError`.

    >>> evaluate_pack(Path("packs/smollm2-135m"), Path("smollm2.gguf"))       # doctest: +SKIP
    Evaluation(text="edgeward's built-in text", ..., mean_kl=0.002, ...)
    """
    opened = Pack.open(pack)
    found = {g.kind: g.file for g in opened.manifest.graphs}
    if graph not in found:
        raise OptionError(f"graph={graph!r}; the pack has {', '.join(map(repr, found))}.")
    (measured,) = evaluate_graphs(
        read_model(reference),
        [opened.path(found[graph])],
        text or builtin_text(),
        window=window,
        windows=windows,
        threads=threads,
        progress=progress,
    )
    return measured


def evaluate_graphs(
    weights: Weights,
    graphs: Sequence[Path],
    text: Text,
    *,
    window: int | None = None,
    windows: int | None = None,
    threads: int | None = None,
    progress: Step = lambda done, total: None,
) -> list[Evaluation]:
    """As `evaluate_pack`, for graphs beside their tokenizer.json and weights already opened."""
    tokenizer = Tokenizer.from_file(graphs[0].parent / TOKENIZER)
    ids = tokenizer.encode(text.content, add_special_tokens=False)
    if window is None:
        # A text or context shorter than the usual window is read as one.
        window = max(2, min(WINDOW, weights.architecture.context, len(ids)))
    return measure_all(
        weights,
        graphs,
        ids,
        text=text.name,
        text_sha256=text.sha256,
        window=window,
        most=windows,
        begin=beginning(tokenizer),
        threads=threads,
        progress=progress,
    )


def beginning(tokenizer: Tokenizer) -> list[int]:
    """Special ids that the tokenizer puts before every text: without them some models are lost."""
    empty, some = tokenizer.encode(""), tokenizer.encode("a")
    return empty if empty and some[: len(empty)] == empty and len(some) > len(empty) else []
