"""`edgeward bench report`: a recording as a table, Markdown, HTML, or llama-bench's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import EdgewardError, OptionError

from .. import figures
from ..records import Recording, read
from ..report import number
from ..reports import html as page
from ..reports import llama_bench, markdown

FORMATS = ("table", "markdown", "llama-bench", "json")


def report(
    recording: Annotated[Path, typer.Argument(help="A recording.", metavar="FILE.jsonl")],
    form: Annotated[
        str, typer.Option("--format", help=f"What is printed: {', '.join(FORMATS)}.")
    ] = "table",
    html: Annotated[
        Path | None, typer.Option(help="Where an HTML report goes: one file, nothing loaded.")
    ] = None,
) -> None:
    """Show a recording of `edgeward bench all` or `edgeward bench ab`.

    Examples:

    `edgeward bench report m.jsonl --html report.html`

    `edgeward bench report m.jsonl --format llama-bench`
    """
    if form not in FORMATS:
        raise OptionError(f"--format {form}: known are {', '.join(FORMATS)}.")
    show(read(recording), form, html)


def show(recording: Recording, form: str, html: Path | None) -> None:
    """Print a recording in one of `FORMATS` and write its page."""
    if html is not None:
        try:
            html.write_text(page.page(recording), encoding="utf-8")
        except OSError as error:
            raise EdgewardError(f"cannot write {html}: {error.strerror}.") from error
    if form == "markdown":
        print(markdown.text(recording))
    elif form == "llama-bench":
        print(llama_bench.text(recording))
    elif form == "json":
        print(json.dumps(figures.as_json(recording)))
    else:
        _print(recording)


def _print(recording: Recording) -> None:
    console = Console(width=None if Console().is_terminal else 120)
    for arm in recording.arms:
        table = Table(title=figures.title(recording, arm), title_justify="left")
        table.add_column("figure")
        for column in ("median", "95 %", "p95", "p99", "samples", "turns"):
            table.add_column(column, justify="right")
        table.add_column("unit")
        for f in figures.figures(recording, arm):
            table.add_row(
                f.name, number(f.median.value), f"{number(f.median.low)} - {number(f.median.high)}",
                number(f.p95.value), number(f.p99.value), str(f.samples), str(f.turns), f.unit,
            )  # fmt: skip
        console.print(table)
    for note in figures.notes(recording):
        console.print(note, highlight=False, markup=False, soft_wrap=True)
