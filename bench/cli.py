"""`edgeward bench`: figures of a pack on this machine."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edgeward.errors import OptionError


def bench(
    model: Annotated[
        str, typer.Argument(help="Name of a pulled pack, or a pack's folder.", metavar="MODEL")
    ],
    prompt: Annotated[int, typer.Option(help="Tokens of the prompt.")] = 128,
    generate: Annotated[int, typer.Option(help="Tokens to generate.")] = 128,
    repeats: Annotated[int, typer.Option(help="Runs of each measurement, after a warm-up.")] = 5,
    threads: Annotated[
        int | None, typer.Option(help="Threads of arithmetic; all physical cores if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure load, first token, prefill, decode and memory, through the public API.

    The answer is checked before anything is timed. Tokenization and sampling are inside the
    figures. Close other programs first: two figures compare only when taken in the same minutes.

    Examples:

    `edgeward bench smollm2-135m`

    `edgeward bench smollm2-135m --prompt 512 --generate 64 --repeats 9 --json > figures.json`
    """
    for name, value in (("prompt", prompt), ("generate", generate), ("repeats", repeats)):
        if value < 1:
            raise OptionError(f"--{name} {value}: give at least 1.")
    from rich.progress import Progress

    from . import report
    from .suites import model as suite

    setting = suite.Setting(prompt, generate, repeats, threads)
    with Progress(transient=True, disable=as_json) as bar:
        task = bar.add_task("loading")
        result = suite.run(
            model,
            setting,
            lambda phase, done, total: bar.update(
                task, description=phase, completed=done, total=total
            ),
        )
    title = f"{result.model}, {result.threads} threads"
    if as_json:
        print(json.dumps(report.as_json(title, result.figures, setting)))
    else:
        report.print_table(title, result.figures)
