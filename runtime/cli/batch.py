"""`edgeward batch`: a file of rows in, a file of results out."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    Context,
    MaxTokens,
    MinP,
    RepetitionPenalty,
    ResponseFormat,
    Safety,
    Schema,
    Seed,
    Stop,
    Temperature,
    Threads,
    TopK,
    TopP,
    given,
)
from .options import response_format as format_of

if TYPE_CHECKING:
    from edgeward.bulk.batch import BatchReport, Tell


def batch(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Rows: .jsonl or .parquet.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Results: .jsonl or .parquet.")],
    model: Annotated[
        str | None, typer.Option(help="A pack's name or folder (the task safety needs none).")
    ] = None,
    task: Annotated[str, typer.Option(help="chat, generate, embed or safety.")] = "chat",
    field: Annotated[str | None, typer.Option(help="The rows' field that holds the text.")] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A field that results repeat (id and custom_id always are)."),
    ] = None,
    system: Annotated[str | None, typer.Option(help="A system message before each.")] = None,
    safety: Safety = None,
    truncate: Annotated[
        bool, typer.Option(help="embed: cut texts that are too long instead of refusing them.")
    ] = False,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster.")] = "local",
    concurrency: Annotated[
        int | None, typer.Option(help="Rows worked on at once (default: what is best).")
    ] = None,
    max_errors: Annotated[
        int | None, typer.Option(help="End the run when more rows than this failed.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Begin anew; replaces OUT at the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    seed: Seed = None,
    schema: Schema = None,
    response_format: ResponseFormat = None,
    stop: Stop = None,
    threads: Threads = None,
    context: Context = None,
) -> None:
    """Work through a file of rows; the same command goes on where a killed run was.

    Each row of IN gives one row of OUT, in order. A row that cannot be worked on has an `error`
    with its line there, and the exit code is 1. Examples:

    `edgeward batch questions.jsonl answers.jsonl --model smollm2-135m --max-tokens 60`

    `edgeward batch texts.parquet vectors.parquet --model all-minilm-l6-v2 --task embed`

    `edgeward batch posts.jsonl verdicts.jsonl --task safety --safety toxicity,jailbreak`

    `edgeward batch questions.jsonl answers.jsonl --model smollm2-135m --engine ray`
    """
    from edgeward.bulk.batch import batch as run

    sampling = given(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        seed=seed,
        response_format=format_of(schema, response_format),
        stop=stop,
    )
    with _bar(as_json) as tell:
        report = run(
            source,
            target,
            model=model,
            task=task,
            field=field,
            keep=["id", "custom_id", *(keep or [])],
            system=system,
            safety_checks=safety or (),
            truncate=truncate,
            engine=engine,
            concurrency=concurrency,
            max_errors=max_errors,
            fresh=fresh,
            load=given(threads=threads, context=context),
            tell=tell,
            **sampling,
        )
    if as_json:
        print(json.dumps({**dataclasses.asdict(report), "output": str(report.output)}))
    else:
        _say(report)
    if report.failed:
        raise typer.Exit(1)


def _say(report: BatchReport) -> None:
    """The report for a person, on standard error."""
    done = report.rows - report.resumed
    speed = f", {done / report.seconds:.1f} rows/s" if done else ""
    tokens = f", {report.tokens / report.seconds:.0f} tokens/s" if report.tokens else ""
    kept = f", {report.resumed} of them by an earlier run" if report.resumed else ""
    print(f"{report.output}: {report.rows} rows{kept}{speed}{tokens}", file=sys.stderr)
    if report.failed:
        print(f"{report.failed} rows failed:", file=sys.stderr)
        for problem in report.problems:
            print(f"  {problem}", file=sys.stderr)


@contextmanager
def _bar(quiet: bool) -> Iterator[Tell]:
    """A bar on standard error; nothing when `quiet` or where nobody looks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, transient=True, disable=quiet or not console.is_terminal, console=console
    ) as bar:
        shown = bar.add_task("loading", total=None)

        def tell(done: int, total: int, failed: int) -> None:
            said = f"rows ({failed} failed)" if failed else "rows"
            bar.update(shown, description=said, completed=done, total=total)

        yield tell
