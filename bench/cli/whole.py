"""`edgeward bench all`: every suite of one pack in one recording, and a report of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeward.errors import OptionError

from ..progress import progress_bar
from ..suites import whole as suite
from .report import FORMATS, show


def whole(
    model: Annotated[
        str, typer.Argument(help="Name of a pulled pack, or a pack's folder.", metavar="MODEL")
    ],
    out: Annotated[Path | None, typer.Option(help="Where the recording goes (JSON lines).")] = None,
    html: Annotated[Path | None, typer.Option(help="Where an HTML report goes.")] = None,
    seconds: Annotated[float, typer.Option(help="About how long it may take in all.")] = 240.0,
    threads: Annotated[
        int | None, typer.Option(help="Threads of arithmetic; all physical cores if left out.")
    ] = None,
    graph: Annotated[str | None, typer.Option(help="The graph to run: fused or portable.")] = None,
    form: Annotated[
        str, typer.Option("--format", help=f"What is printed: {', '.join(FORMATS)}.")
    ] = "table",
) -> None:
    """Measure load, first token, prefill and decode curves, streams, memory, size and quality.

    Ctrl-C keeps what was recorded so far in --out; reports call it partial.

    Examples:

    `edgeward bench all smollm2-135m --out m.jsonl --html report.html`

    `edgeward bench all smollm2-135m --format llama-bench`
    """
    if form not in FORMATS:
        raise OptionError(f"--format {form}: known are {', '.join(FORMATS)}.")
    if not seconds > 0:
        raise OptionError(f"--seconds {seconds}: give more than 0.")
    with progress_bar(form == "json") as tell:
        recording = suite.run(model, suite.Setting(seconds, threads, graph), out, tell)
    show(recording, form, html)
