"""`edgeward bench ab`: two packs, or two graphs of one, in turns."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from edgeward.errors import OptionError

from ..progress import progress_bar
from ..suites import arms as suite
from .compare import print_arms


def ab(
    first: Annotated[str, typer.Argument(help="A pack.", metavar="PACK_A")],
    second: Annotated[str, typer.Argument(help="The pack it is compared with.", metavar="PACK_B")],
    seconds: Annotated[float, typer.Option(help="No block of four turns begins later.")] = 60.0,
    precision: Annotated[
        float, typer.Option(help="End sooner, once intervals reach no further to each side.")
    ] = 0.01,
    prompt: Annotated[int, typer.Option(help="Tokens of a turn's prompt.")] = 64,
    generate: Annotated[int, typer.Option(help="Tokens that a turn generates.")] = 24,
    threads: Annotated[
        int | None, typer.Option(help="Threads of arithmetic; all physical cores if left out.")
    ] = None,
    graph: Annotated[
        str | None, typer.Option(help="Graphs of the two, as fused,portable; or one for both.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the recording goes (JSON lines).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure two packs in turns and say which figures differ by more than chance.

    A block is A B B A or B A A B, by lot; each block gives one ratio of each figure, so the
    machine's drift falls out. Every turn is written to --out as it ends.

    Examples:

    `edgeward bench ab smollm2-135m ./candidate --seconds 180 --out ab.jsonl`

    `edgeward bench ab smollm2-135m smollm2-135m --graph fused,portable`
    """
    for name, value in (("seconds", seconds), ("precision", precision)):
        if not value > 0:
            raise OptionError(f"--{name} {value}: give more than 0.")
    for name, value in (("prompt", prompt), ("generate", generate)):
        if value < 2:
            raise OptionError(f"--{name} {value}: give at least 2.")
    one, _, two = (graph or "").partition(",")
    setting = suite.Setting(
        prompt, generate, seconds, precision, threads, (one or None, two or one or None),
        seed=time.time_ns() % 2**32,
    )  # fmt: skip
    with progress_bar(as_json) as tell:
        recording = suite.run((first, second), setting, out, tell)
    print_arms(recording, as_json)
