"""`edgeward eval`: measure a pack against its source, or a safety check; tables or JSON out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from . import cli as safety_cli
from .intervals import Interval
from .report import Report, encode


def evaluate(
    pack: Annotated[
        str | None,
        typer.Argument(
            help="Name of a pulled pack, a pack's folder, or a model's file or folder to be "
            "measured as it is.",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="What it was made from (.gguf file, Hugging Face folder), or another pack's "
            "folder. Without it: perplexity only.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(help="UTF-8 text to measure on; otherwise a built-in one."),
    ] = None,
    windows: Annotated[int | None, typer.Option(help="Windows of the text at most.")] = None,
    window: Annotated[int | None, typer.Option(help="Tokens of a window; 512 if possible.")] = None,
    graph: Annotated[
        str | None, typer.Option(help="portable or fused; otherwise the one that would run.")
    ] = None,
    no_greedy: Annotated[
        bool, typer.Option("--no-greedy", help="Leave out the greedy continuations.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="Threads of arithmetic.")] = None,
    safety: Annotated[
        str | None,
        typer.Option(
            help=f"Measure a safety check instead: {', '.join(safety_cli.SHIPPED)}, or your own "
            "as module:object.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="With --safety: JSON lines with text, label (1 unsafe, 0 safe) and, if known, "
            "set and subgroup; repeat for more. Without it: made sentences.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Measure what a pack lost against the weights it was made from.

    Perplexity, KL divergence, agreement of first choices, and where greedy continuations part;
    for an encoder, whether similarities keep their order. Intervals are 95 %, by bootstrap.

    With --safety: recall, AUC, calibration and fairness of a safety check.

    Examples:

    `edgeward eval smollm2-135m --reference SmolLM2-135M-Instruct.Q4_1.gguf`

    `edgeward eval ./pack --reference model.gguf --text wiki.txt --windows 12 --json`

    `edgeward eval --safety jailbreak`

    `edgeward eval --safety my_package.checks:my_check --data comments.jsonl`
    """
    if safety is not None:
        if pack is not None or reference is not None:
            raise OptionError("`edgeward eval` measures a pack or, with --safety, a check.")
        safety_cli.evaluate(safety, data, as_json)
        return
    if pack is None:
        raise OptionError("`edgeward eval` needs a pack, or --safety and the name of a check.")
    from edgeward.quantize.bars import shown
    from edgeward.quantize.pack_cli import folder_of

    from .examine import examine
    from .pack import read_text

    with shown(quiet=as_json) as progress:
        report = examine(
            path if (path := Path(pack)).suffix == ".gguf" else folder_of(pack),
            reference,
            read_text(text) if text is not None else None,
            window=window,
            windows=windows,
            graph=graph,
            greedy=not no_greedy,
            threads=threads,
            tell=progress,
        )
    if as_json:
        print(encode(report).decode())
    else:
        _print(report)


def _print(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else 100)
    facts = report.pack
    table = Table(title=f"{facts.name}, {facts.graph} graph", title_justify="left")
    for column in ("figure", "value", "95 %"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    rows: list[tuple[str, Interval | None, str]] = [
        ("perplexity", report.perplexity, ".3f"),
        ("perplexity of the reference", report.reference_perplexity, ".3f"),
        ("mean KL", report.mean_kl, ".5f"),
        ("p99 KL", report.p99_kl, ".5f"),
        ("same first choice", report.top1_agreement, ".1%"),
    ]
    if (greedy := report.greedy) is not None:
        rows.append((f"greedy tokens alike, of {greedy.tokens}", greedy.mean, ".1f"))
    if (vectors := report.vectors) is not None:
        rows.append(("rank correlation", vectors.rank_correlation, ".5f"))
    for name, found, form in rows:
        if found is not None:
            between = f"{found.low:{form}} - {found.high:{form}}"
            table.add_row(name, f"{found.value:{form}}", between)
    if greedy is not None:
        table.add_row("  median; never apart", f"{greedy.median:.0f}; {greedy.same:.0%}", "")
    if vectors is not None:
        table.add_row(
            "cosine, mean; least", f"{vectors.mean_cosine:.5f}; {vectors.min_cosine:.5f}", ""
        )
    console.print(table)
    text = report.text
    where = f"{text.windows} windows of {text.window} tokens of {text.name}"
    if vectors is not None:
        where = f"{vectors.texts} lines of {text.name}"
    matrices, whole, all_of_it = (
        f"{size / 1e6:.1f} MB" for size in (facts.weight_bytes, facts.graph_bytes, facts.bytes)
    )
    console.print(
        f"{matrices} of matrices, {facts.bits_per_weight:.2f} bits a weight; the graph takes "
        f"{whole}, the pack {all_of_it}.",
        highlight=False,
    )
    against = report.reference.path if report.reference else "nothing: give --reference for KL"
    console.print(f"On {where}, against {against}.", highlight=False)
