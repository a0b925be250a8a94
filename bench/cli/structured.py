"""`edgeward bench structured`: answers under 20 schemas, judged and timed."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from .. import report
from ..progress import progress_bar
from ..suites import structured as suite


def structured(
    model: Annotated[
        str, typer.Argument(help="Name of a pulled pack, or a pack's folder.", metavar="MODEL")
    ],
    generations: Annotated[int, typer.Option(help="Answers in all, over 20 schemas.")] = 100,
    max_tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 600,
    threads: Annotated[
        int | None, typer.Option(help="Threads of arithmetic; all physical cores if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure structured output: answers that validate, and the time the grammar adds to a token.

    Each answer is judged by `jsonschema`, which had no part in making it. Ends with status 1 if
    one does not validate. Close other programs first.

    Examples:

    `edgeward bench structured smollm2-135m`

    `edgeward bench structured smollm2-135m --generations 500 --json > structured.json`
    """
    for name, value in (("generations", generations), ("max-tokens", max_tokens)):
        if value < 1:
            raise OptionError(f"--{name} {value}: give at least 1.")
    setting = suite.Setting(generations, max_tokens, threads)
    with progress_bar(as_json) as tell:
        result = suite.run(model, setting, tell)
    if as_json:
        said = report.as_json(f"structured {result.model}", result.figures, setting)
        said |= {"rows": [dataclasses.asdict(row) for row in result.rows]}
        print(json.dumps(said | {"valid_share": result.valid_share}))
    else:
        _print(result)
    if result.valid_share < 1:
        raise typer.Exit(1)


def _print(result: suite.Result) -> None:
    table = Table(title=f"{result.model}: {result.valid_share:.1%} valid", title_justify="left")
    table.add_column("schema")
    for column in ("valid", "answers", "tokens", "forced", "compile ms"):
        table.add_column(column, justify="right")
    for row in result.rows:
        share = f"{row.forced / max(1, row.tokens):.0%}"
        numbers = (str(n) for n in (row.valid, row.answers, row.tokens, share))
        table.add_row(row.schema, *numbers, report.number(row.compile_ms))
    console = Console()
    console.print(table)
    for row in result.rows:
        for wrong in row.invalid:
            console.print(f"{row.schema}: {wrong}", highlight=False, markup=False, soft_wrap=True)
    report.print_table("time", result.figures)
