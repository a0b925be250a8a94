"""`edgeward bench model`: figures of a pack on this machine."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated

import typer

from edgeward import machine
from edgeward.errors import OptionError

from .. import report
from ..peers import Peer
from ..progress import Tell, progress_bar
from ..stats import Summary
from ..suites import model as model_suite
from ..suites import versus
from ..suites.model import Setting


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
    peer: Annotated[
        list[str] | None,
        typer.Option(
            help="Another runtime and its model, as genai=FOLDER, llama=FILE or openvino=FILE; "
            "with @PYTHON behind it, the Python that has its packages. All run in turns.",
            metavar="NAME=MODEL[@PYTHON]",
        ),
    ] = None,
    peer_python: Annotated[
        str | None, typer.Option(help="Python of peers without one of their own; this one.")
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option(
            help="The graph to run: fused or portable; both of them, in turns, as fused,portable."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with raw samples.")] = False,
) -> None:
    """Measure load, first token, prefill, decode and memory, through the public API.

    The answer is checked before anything is timed. Tokenization and sampling are inside the
    figures. Close other programs first: two figures compare only when taken in the same minutes.

    Examples:

    `edgeward bench smollm2-135m`

    `edgeward bench smollm2-135m --prompt 512 --generate 64 --repeats 9 --json > figures.json`

    `edgeward bench smollm2-135m --graph fused,portable`

    `edgeward bench smollm2-135m --peer genai=./genai-int8 --peer-python ./peers/bin/python`

    `edgeward bench smollm2-135m --peer llama=m.gguf@a/bin/python --peer genai=./int8`
    """
    for name, value in (("prompt", prompt), ("generate", generate), ("repeats", repeats)):
        if value < 1:
            raise OptionError(f"--{name} {value}: give at least 1.")
    first, _, second = (graph or "").partition(",")
    setting = Setting(prompt, generate, repeats, threads, first or None)
    with progress_bar(as_json) as tell:
        if second:
            if peer:
                raise OptionError("--graph with two graphs and --peer: give one of them.")
            found = versus.run_graphs(model, second, setting, tell)
            same = f"{found.same_tokens:.0%} of greedy tokens alike"
            title, figures = f"{model}, graph {first} against {second}, {same}", found.figures
        elif not peer:
            result = model_suite.run(model, setting, tell)
            title, figures = f"{result.model}, {result.threads} threads", result.figures
        else:
            title, figures = _versus(model, peer, peer_python, setting, tell)
    if as_json:
        print(json.dumps(report.as_json(title, figures, setting)))
    else:
        report.print_table(title, figures)


def _versus(
    model: str, peers: list[str], python: str | None, setting: Setting, tell: Tell
) -> tuple[str, dict[str, Summary]]:
    threads = setting.threads or machine.physical_cores()
    with contextlib.ExitStack() as stack:
        running = []
        for peer in peers:
            name, _, where = peer.partition("=")
            folder, _, own = where.partition("@")
            if not folder:
                raise OptionError(f"--peer {peer}: give NAME=MODEL, such as genai=./model.")
            running.append(stack.enter_context(Peer(name, Path(folder), threads, own or python)))
        found = versus.run(model, running, setting, tell)
        names = ", ".join(one.name for one in running)
    same = f"{found.same_tokens:.0%} of greedy tokens alike"
    return f"{model} against {names}, {threads} threads each, {same}", found.figures
