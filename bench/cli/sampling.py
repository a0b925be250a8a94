"""`edgeward bench sampling`: one step of our sampler and of every other one installed."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from .. import report
from ..progress import progress_bar
from ..suites import sampling as suite


def sampling(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Name of a pulled pack: its model's logits instead of made ones.",
            metavar="[MODEL]",
        ),
    ] = None,
    vocabulary: Annotated[
        list[int] | None,
        typer.Option(help="Size of the vocabulary; repeat for more.", min=2, max=2**24),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help=f"Made logits: {', '.join(suite.KINDS)}; repeat for more."),
    ] = None,
    logits: Annotated[
        list[str] | None,
        typer.Option(help="A .npy file with a row of float32 logits to measure on as well."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each tool.", min=1)] = 9,
    peer: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(suite.PEERS)}.")
    ] = None,
    peer_python: Annotated[
        list[str] | None,
        typer.Option(help="A Python that has peers; repeat for more. This one is looked into too."),
    ] = None,
    more: Annotated[bool, typer.Option("--more", help="Settings that only we have, too.")] = False,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda: batches on a device, against torch and flashinfer.")
    ] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure sampling against one pass over the logits and against other samplers.

    All tools take turns on one core. Answers are checked first: ours must be its slow twin's, a
    peer's must be possible ones. Peers are found where they are installed: `pip install
    llama-cpp-python transformers torch`.

    Examples:

    `edgeward bench sampling`

    `edgeward bench sampling smollm2-135m --more`

    `edgeward bench sampling --vocabulary 128256 --kind flat --kind peaked --json`

    `edgeward bench sampling --peer-python peers/bin/python`
    """
    for name in peer or ():
        if name not in suite.PEERS:
            raise OptionError(f"--peer {name}: known are {', '.join(suite.PEERS)}.")
    for name in kind or ():
        if name not in suite.KINDS:
            raise OptionError(f"--kind {name}: known are {', '.join(suite.KINDS)}.")
    if device not in ("cpu", "cuda"):
        raise OptionError(f"--device {device}: give cpu or cuda.")
    if device == "cuda":
        _on_device(rounds, as_json)
        return
    made = model is None or bool(vocabulary or kind)
    setting = suite.Setting(
        vocabularies=tuple(vocabulary or suite.VOCABULARIES) if made else (),
        kinds=tuple(kind or ("normal",)),
        rounds=rounds,
        peers=tuple(peer or suite.PEERS),
        peer_pythons=tuple(peer_python or ()),
        more=more,
        model=model,
        logits=tuple(logits or ()),
    )
    with progress_bar(as_json) as tell:
        cases = suite.run(setting, tell)
    if as_json:
        said = {"bench": "sampling", "machine": report.fingerprint()}
        said["setting"] = dataclasses.asdict(setting)
        print(json.dumps(said | {"cases": [dataclasses.asdict(case) for case in cases]}))
    else:
        _print(cases)


def _on_device(rounds: int, as_json: bool) -> None:
    from ..suites import sampling_cuda

    rows = list(sampling_cuda.rows(rounds))
    if as_json:
        said = {"bench": "sampling on a device", "machine": report.fingerprint()}
        print(json.dumps(said | {"rows": [dataclasses.asdict(row) for row in rows]}))
        return
    table = Table(title="microseconds a step of the whole batch", title_justify="left")
    for column in ("case", "type", "rows", "vocabulary", "tool", "median", "min", "max"):
        table.add_column(column, justify="left" if column in ("case", "type", "tool") else "right")
    for row in rows:
        s = row.step
        numbers = (report.number(x) for x in (s.median, s.low, s.high))
        table.add_row(row.case, row.type, str(row.rows), str(row.vocabulary), row.tool, *numbers)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _print(cases: Sequence[suite.Case]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 130)
    missing: dict[str, str] = {}
    for vocabulary, kind in dict.fromkeys((c.vocabulary, c.kind) for c in cases):
        title = f"vocabulary {vocabulary:,}, {kind} logits, one thread"
        table = Table(title=title, title_justify="left")
        for column in ("setting", "tool", "us a step", "min", "max", "passes", "ours is faster by"):
            table.add_column(
                column, justify="left" if column in ("setting", "tool") else "right", no_wrap=True
            )
        for case in cases:
            if (case.vocabulary, case.kind) != (vocabulary, kind):
                continue
            shown = ""
            for figure in case.tools:
                if figure.missing:
                    missing.setdefault(figure.tool, figure.missing)
                if figure.step is None or figure.passes is None or figure.ratio is None:
                    continue
                name, shown = (case.case if case.case != shown else ""), case.case
                table.add_row(name, *_cells(figure), end_section=figure is case.tools[-1])
            table.add_section()
        console.print(table)
    for case in cases:
        if (added := case.tools[0].added) is not None:
            told = f"{case.case}: +{added.median:.1f} us ({added.low:.1f} - {added.high:.1f})"
            console.print(f"{told} at {case.vocabulary:,}, {case.kind}", highlight=False)
    for tool, why in missing.items():
        console.print(f"{tool}: {why}", style="dim", highlight=False, soft_wrap=True)


def _cells(figure: suite.Figure) -> list[str]:
    assert figure.step is not None
    assert figure.passes is not None
    assert figure.ratio is not None
    s, r = figure.step, figure.ratio
    cells = [figure.tool, *(report.number(x) for x in (s.median, s.low, s.high))]
    cells.append(report.number(figure.passes.median))
    if figure.tool in (suite.OURS, suite.WITHOUT, suite.YARDSTICK):
        return [*cells, ""]
    if figure.impossible:
        return [*cells, f"drew {figure.impossible} of {figure.drawn} impossible tokens"]
    spread = f"({report.number(r.low)} - {report.number(r.high)})"
    return [*cells, f"{report.number(r.median)} {spread}"]
