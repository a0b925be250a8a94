"""`edgeward bench safety`: the time that the safety scorers take."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .. import report
from ..suites import safety as suite


def safety(
    characters: Annotated[
        list[int] | None,
        typer.Option(help="Length of the texts; repeat for more.", min=1, max=10**7),
    ] = None,
    calls: Annotated[int, typer.Option(help="Calls of each length.", min=1)] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure the scorers on texts of several lengths and on a reply that grows.

    Both heads in one pass, a call from Python in full. Scores are first compared with the slow
    twin's.

    Examples:

    `edgeward bench safety`

    `edgeward bench safety --characters 256 --calls 5000 --json`
    """
    setting = suite.Setting(tuple(characters or suite.Setting.characters), calls)
    figures = suite.run(setting)
    if as_json:
        print(json.dumps(report.as_json("safety", figures, setting)))
    else:
        report.print_table("safety scorers, toxicity and jailbreak together", figures)
