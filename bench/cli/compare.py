"""`edgeward bench compare`: what two recordings, or the two sides of one, differ in."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from .. import compare as comparison
from ..records import Recording, read
from ..report import number


def compare(
    first: Annotated[Path, typer.Argument(help="A recording.", metavar="A.jsonl")],
    second: Annotated[
        Path | None,
        typer.Argument(help="Another; left out for one of `bench ab`.", metavar="[B.jsonl]"),
    ] = None,
    floor: Annotated[
        float,
        typer.Option(help="Between two recordings: differences that are never called one."),
    ] = comparison.FLOOR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which figures differ by more than chance, and by how much.

    The sides of one recording of `edgeward bench ab` are compared block by block. Two recordings
    were taken at different times: only differences larger than the floor, or than twice what
    the machine itself differed by, are called one.

    Examples:

    `edgeward bench compare ab.jsonl`

    `edgeward bench compare monday.jsonl friday.jsonl`
    """
    if not 0 <= floor < 1:
        raise OptionError(f"--floor {floor}: give a share in 0 .. 1, such as 0.05.")
    one = read(first)
    if second is None:
        print_arms(one, as_json)
        return
    two = read(second)
    rows = comparison.recordings(one, two, floor)
    notes = _notes(one, first.name) + _notes(two, second.name)
    print_rows(rows, notes + comparison.different_machines(one, two), as_json)


def print_arms(recording: Recording, as_json: bool) -> None:
    """Both sides of a recording of `bench ab`."""
    rows = comparison.arms(recording)
    notes = [f"a: {_subject(recording, 0)}", f"b: {_subject(recording, 1)}"]
    print_rows(rows, notes + _notes(recording, "the recording"), as_json)


def print_rows(rows: list[comparison.Row], notes: list[str], as_json: bool) -> None:
    """A table for people, or JSON."""
    if as_json:
        said = [dataclasses.asdict(row) | {"name": row.name} for row in rows]
        print(json.dumps({"rows": said, "notes": notes}))
        return
    table = Table()
    for column in ("figure", "A", "B", "unit", "B / A", "98 %", "p", "B is"):
        table.add_column(
            column, justify="left" if column in ("figure", "unit", "B is") else "right"
        )
    for row in rows:
        between = f"{row.low:.3f} - {row.high:.3f}"
        p = "" if row.p is None else f"{row.p:.2g}"
        table.add_row(
            row.name, number(row.first), number(row.second), row.unit,
            f"{row.ratio:.3f}", between, p, row.verdict,
        )  # fmt: skip
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def _subject(recording: Recording, place: int) -> str:
    subject = list(recording.header.subjects.values())[place]
    return (
        f"{subject.name}, {subject.graph} graph, {subject.threads} threads, {subject.sha256[:12]}"
    )


def _notes(recording: Recording, name: str) -> list[str]:
    notes = [f"{name}: {note}" for note in recording.notes]
    return notes if recording.complete else [*notes, f"{name} was interrupted: it is partial."]
