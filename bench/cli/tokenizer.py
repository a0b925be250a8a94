"""`edgeward bench tokenizer`: a tokenizer.json in ours and in every peer installed."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import EdgewardError, OptionError

from .. import report
from ..progress import progress_bar
from ..suites import tokenizer as suite


def tokenizer(
    file: Annotated[
        str,
        typer.Argument(
            help="A tokenizer.json, its folder, or a pulled pack's name.", metavar="FILE"
        ),
    ],
    text: Annotated[
        list[str] | None,
        typer.Option(
            help="A text to encode, as NAME=FILE; repeat for more. The first megabyte counts.",
            metavar="NAME=FILE",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Fresh processes of each tool.", min=1)] = 3,
    peer_python: Annotated[
        str | None, typer.Option(help="Python that has the peers; this one if left out.")
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(help=f"Only these; known are {', '.join((*suite.OURS, *suite.PEERS))}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure load, memory, encoding, decoding and streaming against other tokenizers.

    Every tool runs in turns in processes of its own on one core; times are CPU time and include
    making the Python result. A tool whose ids are not Hugging Face's is shown, and left out of the
    comparison. Peers are found where they are installed: `pip install tokenizers tiktoken
    gigatoken fastokens splintr-rs tuetoken tokie kitoken iree-tokenizer`.

    Examples:

    `edgeward bench tokenizer smollm2-135m`

    `edgeward bench tokenizer ./tokenizer.json --text mine=notes.txt --peer-python peers/bin/python`
    """
    tools = tuple(tool) if tool else (*suite.OURS, *suite.PEERS)
    for name in tools:
        if name not in (*suite.OURS, *suite.PEERS):
            known = ", ".join((*suite.OURS, *suite.PEERS))
            raise OptionError(f"--tool {name}: known are {known}.")
    setting = suite.Setting(rounds=rounds, peer_python=peer_python, tools=tools)
    path = _find(file)
    texts = _texts(text or [])
    with progress_bar(as_json) as tell:
        result = suite.run(path, texts, setting, tell)
    if as_json:
        said = {"bench": f"tokenizer {path}", "machine": report.fingerprint()}
        print(json.dumps(said | dataclasses.asdict(result)))
        return
    _print(path, result)


def _find(file: str) -> Path:
    path = Path(file)
    if not path.exists():
        from edgeward import store

        path = store.find(file)
    if path.is_dir():
        path = path / "tokenizer.json"
    if not path.is_file():
        raise OptionError(f"{path}: there is no such file; give a tokenizer.json.")
    return path


def _texts(given: list[str]) -> dict[str, str]:
    texts = {} if given else suite.builtin_texts()
    for entry in given:
        name, _, file = entry.partition("=")
        if not file:
            raise OptionError(f"--text {entry}: give NAME=FILE, such as mine=notes.txt.")
        try:
            texts[name] = Path(file).read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise EdgewardError(f"cannot read {file}: {error.strerror}.") from error
        if not texts[name]:
            raise OptionError(f"--text {entry}: the file is empty.")
    return texts


def _print(path: Path, result: suite.Result) -> None:
    # One column a tool: wide, where nobody has said how wide.
    console = Console(width=None if sys.stdout.isatty() else 150)
    shown = [r for r in result.tools if not r.missing]
    names = list(dict.fromkeys(name for r in shown for name in r.figures))
    table = Table(title=f"{path}: medians", title_justify="left")
    table.add_column("figure")
    table.add_column("unit")
    for r in shown:
        table.add_column(r.tool, justify="right", overflow="fold")
    for name in names:
        unit = next(r.figures[name].unit for r in shown if name in r.figures)
        row = [report.number(r.figures[name].median) if name in r.figures else "-" for r in shown]
        table.add_row(name, unit, *row)
    table.add_row("ids", "", *(_verdict(r) for r in shown))
    console.print(table)
    ratios = Table(title="edgeward against the best peer with the right ids", title_justify="left")
    for column in ("figure", "peer", "times better", "min", "max"):
        ratios.add_column(column, justify="left" if column in ("figure", "peer") else "right")
    for ratio in result.ratios:
        s = ratio.ratio
        numbers = (report.number(x) for x in (s.median, s.low, s.high))
        ratios.add_row(ratio.figure, ratio.peer, *numbers)
    console.print(ratios)
    for r in result.tools:
        if r.missing:
            console.print(f"{r.tool}: {r.missing}", style="dim", highlight=False, soft_wrap=True)
            continue
        if not r.checked:
            console.print(f"{r.tool}: ids not compared; install tokenizers beside the peers.")
        if r.ended:
            console.print(f"{r.tool}: {r.ended}", style="dim", highlight=False, soft_wrap=True)
        if r.wrong:
            told = f"{r.tool}: ids or offsets differ on {', '.join(r.wrong)}"
            console.print(told, style="dim", highlight=False, soft_wrap=True)


def _verdict(result: suite.ToolResult) -> str:
    if result.wrong:
        return f"wrong: {len(result.wrong)}"
    return "right" if result.checked else "unknown"
