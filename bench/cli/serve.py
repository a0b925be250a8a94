"""`edgeward bench serve`: what a service promises, measured beside what it must reach."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from .. import report
from ..progress import progress_bar
from ..suites import serve as suite
from ..suites.serve_figure import Figure


def serve(
    model: Annotated[str, typer.Argument(help="Name of a pack, or its folder.")] = "smollm2-135m",
    part: Annotated[
        list[str] | None,
        typer.Option(help="budget, overhead, streams or prefix; repeat for more. All if left out."),
    ] = None,
    requests: Annotated[int, typer.Option(help="Requests under a budget, a place.", min=3)] = 60,
    budget: Annotated[float, typer.Option(help="Milliseconds to the first text.", min=1)] = 100.0,
    rounds: Annotated[int, typer.Option(help="Rounds of the other parts.", min=2)] = 15,
    streams: Annotated[int, typer.Option(help="Streams at once.", min=2, max=64)] = 8,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer.", min=2)] = 64,
    threads: Annotated[int | None, typer.Option(help="Threads of the engine.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure `edgeward.serve` with this model: limits kept, time added, streams, prefixes.

    Exit code 1 when a bound is missed.

    Examples:

    `edgeward bench serve smollm2-135m`

    `edgeward bench serve smollm2-135m --part streams --streams 4 --json`
    """
    parts = tuple(part or suite.Setting.parts)
    if wrong := set(parts) - set(suite.Setting.parts):
        raise OptionError(f"--part {min(wrong)}: the parts are {', '.join(suite.Setting.parts)}.")
    setting = suite.Setting(requests, budget, rounds, streams, tokens, threads, parts)
    with progress_bar(as_json) as tell:
        result = suite.run(model, setting, tell)
    if as_json:
        print(json.dumps(_as_json(result, setting)))
    else:
        _print(result)
    if any(figure.met is False for figure in result.figures):
        raise typer.Exit(1)


def _as_json(result: suite.Result, setting: suite.Setting) -> dict[str, Any]:
    figures = [{**dataclasses.asdict(figure), "met": figure.met} for figure in result.figures]
    return {
        "bench": "serve",
        "model": result.model,
        "machine": report.fingerprint(),
        "threads": result.threads,
        "setting": dataclasses.asdict(setting),
        "figures": figures,
    }


def _print(result: suite.Result) -> None:
    table = Table(title=f"serve {result.model}, {result.threads} threads", title_justify="left")
    for name in ("part", "figure"):
        table.add_column(name)
    for name in ("measured", "must", "samples"):
        table.add_column(name, justify="right")
    for name in ("unit", ""):
        table.add_column(name)
    for f in result.figures:
        value = "-" if f.value is None else report.number(f.value)
        table.add_row(f.part, f.name, value, _must(f), str(f.samples), f.unit, _verdict(f))
    Console().print(table)


def _must(figure: Figure) -> str:
    sign = "<=" if figure.side == "most" else ">="
    return "" if figure.must is None else f"{sign} {figure.must:g}"


def _verdict(figure: Figure) -> str:
    return {None: "", True: "kept", False: "[bold]missed[/bold]"}[figure.met]
