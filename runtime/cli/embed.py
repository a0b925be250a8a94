"""`edgeward embed`: texts in, one vector a line out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeward.errors import OptionError

from .options import ModelName, Threads


def embed(
    model: ModelName,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Texts; - or none reads one a line from standard input."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="Embed each line of this file; may be given several times."),
    ] = None,
    truncate: Annotated[
        bool, typer.Option(help="Cut texts that are too long instead of refusing them.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line: text and vector.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Turn texts into vectors.

    Prints a line of numbers for each text, in the order given. Examples:

    `edgeward embed all-minilm-l6-v2 "A river." "A stream."`

    `edgeward embed all-minilm-l6-v2 --file titles.txt --json > vectors.jsonl`
    """
    from edgeward import load

    wanted = [*_given(texts, bool(file)), *(line for path in file or [] for line in _lines(path))]
    with load(model, threads=threads) as loaded:
        vectors = loaded.embed(wanted, truncate=truncate)
    for text, vector in zip(wanted, vectors.tolist(), strict=True):
        # Nine digits give back the same float32.
        numbers = [float(f"{value:.9g}") for value in vector]
        print(json.dumps({"text": text, "vector": numbers}) if as_json else _plain(numbers))


def _plain(numbers: list[float]) -> str:
    return " ".join(map(repr, numbers))


def _given(texts: list[str] | None, has_file: bool) -> list[str]:
    if not texts:
        return [] if has_file else sys.stdin.read().splitlines()
    lines: list[str] = []
    for text in texts:
        lines += sys.stdin.read().splitlines() if text == "-" else [text]
    return lines


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise OptionError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from None
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}. Give a text file.") from None
