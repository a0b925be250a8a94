"""`edgeward bench operators`: the fused operators against the limits of this machine."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError
from edgeward.kernels import _native

from .. import report
from ..progress import progress_bar
from ..suites import operators as suite


def operators(
    format: Annotated[
        list[str] | None,
        typer.Option(help=f"Of the weights: {', '.join(suite.FORMATS)}; repeat for more."),
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(help="Size of the team; repeat for more.", min=1, max=256)
    ] = None,
    tokens: Annotated[
        list[int] | None, typer.Option(help="Rows of activations; repeat for more.", min=1)
    ] = None,
    context: Annotated[
        list[int] | None,
        typer.Option(help="Positions that attention looks at; repeat for more.", min=1, max=2**20),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each operator.", min=1)] = 9,
    isa: Annotated[
        str | None, typer.Option(help="Instruction set; without it the best of this machine.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure each fused operator as a share of what this machine can do at most.

    One row of activations is held against reading the weights once, many rows against int8 dot
    products, attention against fused multiply-adds; the limits are measured in the same rounds.
    Answers are checked first.

    Examples:

    `edgeward bench operators`

    `edgeward bench operators --format q4_k --threads 2 --isa avx2 --json`
    """
    for name in format or ():
        if name not in suite.FORMATS:
            raise OptionError(f"--format {name}: known are {', '.join(suite.FORMATS)}.")
    if isa is not None and isa not in _native.supported_isas():
        known = ", ".join(_native.supported_isas())
        raise OptionError(f"--isa {isa}: this build on this processor takes {known}.")
    plain = suite.Setting()
    setting = suite.Setting(
        formats=tuple(format or plain.formats),
        threads=tuple(threads or plain.threads),
        tokens=tuple(tokens or plain.tokens),
        contexts=tuple(context or plain.contexts),
        rounds=rounds,
        isa=isa,
    )
    with progress_bar(as_json) as tell:
        result = suite.run(setting, tell)
    if as_json:
        said = {"bench": "operators", "machine": report.fingerprint()}
        said["setting"] = dataclasses.asdict(setting)
        print(json.dumps(said | dataclasses.asdict(result)))
    else:
        _print(result, isa or _native.active_isa())


def _print(result: suite.Result, isa: str) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    for threads, barrier in result.barrier_us.items():
        plural = "thread" if threads == 1 else "threads"
        title = f"{isa}, {threads} {plural}, a barrier {barrier:.2f} us"
        table = Table(title=title, title_justify="left")
        for column in ("operator", "format"):
            table.add_column(column, no_wrap=True)
        for column in ("rows", "us", "speed", "limit", "unit", "share", "min", "max", "best"):
            table.add_column(column, justify="right", no_wrap=True)
        for row in result.rows:
            if row.threads != threads:
                continue
            s = row.share
            shares = (f"{100 * x:.0f} %" for x in (s.median, s.low, s.high, row.best))
            numbers = (report.number(x.median) for x in (row.time, row.speed, row.limit))
            table.add_row(
                row.operator, row.format, str(row.tokens), *numbers, row.speed.unit, *shares
            )
        console.print(table)
