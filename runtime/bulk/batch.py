"""`edgeward.batch`: a file of rows through a model, to the end, whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

from edgeward import checks
from edgeward.errors import OptionError
from edgeward.safety.check import Check, SafetyCheck, adapted

from .blocks import Block, blocks_of
from .journal import Journal
from .work import Work

ENGINES = ("local", "ray")
Tell = Callable[[int, int, int], None]
"""Takes the rows done, those in all, and how many of them failed."""


@dataclass(frozen=True)
class BatchReport:
    """How a run ended."""

    output: Path
    rows: int
    """Rows in the output, one for each in the input."""
    resumed: int
    """Of these, rows that an earlier run had finished."""
    failed: int
    """Rows with an `error`."""
    problems: tuple[str, ...]
    """The first ten of them that this run met, with their lines."""
    seconds: float
    tokens: int
    """Tokens written in this run."""


def batch(
    source: str | Path,
    target: str | Path,
    *,
    model: str | Path | None = None,
    task: str = "chat",
    field: str | None = None,
    keep: Sequence[str] = ("id", "custom_id"),
    system: str | None = None,
    safety_checks: Sequence[SafetyCheck | Callable[[str], float]] | str = (),
    role: str = "user",
    truncate: bool = False,
    engine: str = "local",
    concurrency: int | None = None,
    max_errors: int | None = None,
    fresh: bool = False,
    load: Mapping[str, Any] | None = None,
    tell: Tell = lambda done, total, failed: None,
    **sampling: Any,
) -> BatchReport:
    """Work through a file of rows (.jsonl or .parquet) and write a file with a result for each.

    `task`: "chat" answers the row's `prompt` or `messages`, "generate" continues its `prompt`,
    "embed" makes a vector of its `text` (with an encoder), "safety" says what `safety_checks`
    find in its `text` by `role` (without a model). `field` names another field for the text,
    `keep` the fields that a result repeats. `sampling` is as in `Model.chat`; a row's object
    `sampling` goes before it, and each row's seed is `seed` (0 if left out) plus its index: the
    results depend on the row alone, not on the engine, `concurrency`, or a kill in between.

    A row that cannot be worked on has an `error` with its line, and the others go on; more than
    `max_errors` of them end the run. A run that was killed goes on when called the same way again;
    `fresh` begins anew and replaces the output at the end. `concurrency` rows are worked on at
    once (None: 16 where the model computes steps of several together, otherwise 1). With
    `engine="ray"` the work is spread over a Ray cluster: docs/scale.md. `load` holds arguments of
    `edgeward.load`, `tell` is called as rows are done.

    Raises `OptionError` for a wrong argument, an output that exists or is being written, a file
    that is neither; `KeepError` when the disk is full; what `edgeward.load` raises.

    >>> edgeward.batch("questions.jsonl", "answers.jsonl", model="smollm2-135m",
    ...                max_tokens=60)  # doctest: +SKIP
    """
    source, target = Path(source), Path(target)
    if engine not in ENGINES:
        raise OptionError(f"engine={engine!r}; there are 'local' and 'ray'.")
    if concurrency is not None:
        checks.whole(1, 1024, "a whole number from 1 to 1024")("concurrency", concurrency)
    if max_errors is not None:
        checks.count(0)("max_errors", max_errors)
    work = Work(
        task=task,
        model=None if model is None else str(model),
        field=field,
        keep=tuple(keep),
        system=system,
        sampling=sampling,
        safety=_checks(safety_checks),
        role=role,
        truncate=truncate,
        load=dict(load or {}),
    )
    _check_target(source, target)
    blocks = blocks_of(source, work.block)
    total = sum(block.count for block in blocks)
    began = time.perf_counter()
    asked = {**work.asked(_pack_sha256(work)), "source": str(source.absolute()), "rows": total}
    with Journal(target, asked, fresh=fresh) as journal:
        count = _Count(journal, total, max_errors, tell)
        run = _engine(engine)
        for results in run(work, _left(blocks, journal.done), concurrency):
            count.add(results)
        if target.suffix == ".parquet":
            from .parquet import write

            journal.finish(write)
        else:
            journal.finish()
    return BatchReport(
        output=target,
        rows=total,
        resumed=count.resumed,
        failed=count.failed,
        problems=tuple(count.problems),
        seconds=time.perf_counter() - began,
        tokens=count.tokens,
    )


class _Count:
    """Takes results to the journal and keeps the score."""

    def __init__(self, journal: Journal, total: int, most: int | None, tell: Tell) -> None:
        self._journal, self._total, self._most, self._tell = journal, total, most, tell
        self.resumed = journal.done
        self.failed = journal.failed
        self.tokens = 0
        self.problems: list[str] = []
        tell(journal.done, total, journal.failed)

    def add(self, results: list[dict[str, Any]]) -> None:
        # A block that a kill cut is made again as a whole; its first rows stand already.
        new = [row for row in results if row["index"] >= self._journal.done]
        self._journal.append(new)
        for row in new:
            error = row.get("error")
            if error is not None:
                self.failed += 1
                if len(self.problems) < 10:
                    self.problems.append(f"line {error['line']}: {error['message']}")
            self.tokens += row.get("usage", {}).get("completion_tokens", 0)
        self._tell(self._journal.done, self._total, self.failed)
        if self._most is not None and self.failed > self._most:
            raise OptionError(
                f"{self.failed} rows failed, max_errors allows {self._most}; the last one: "
                f"{self.problems[-1]} What is finished is kept; a run with more goes on from there."
            )


def _left(blocks: list[Block], done: int) -> Iterator[Block]:
    """The blocks that have rows still to do, each whole."""
    return dropwhile(lambda block: block.first + block.count <= done, blocks)


def _engine(name: str) -> Callable[[Work, Iterator[Block], int | None], Iterator[list[Any]]]:
    if name == "ray":
        from .on_ray import run
    else:
        from .local import run
    return run


def _checks(given: Sequence[SafetyCheck | Callable[[str], float]] | str) -> tuple[Check, ...]:
    if isinstance(given, str):
        from edgeward.safety.builtin import named

        return tuple(named(given))
    return tuple(adapted(check) for check in given)


def _check_target(source: Path, target: Path) -> None:
    if target.suffix not in (".jsonl", ".ndjson", ".parquet"):
        raise OptionError(
            f"{target} ends in {target.suffix or 'nothing'!r}; results go to .jsonl or .parquet."
        )
    if target.suffix == ".parquet":
        from .parquet import check

        check()
    if not target.absolute().parent.is_dir():
        raise OptionError(f"there is no folder {target.absolute().parent}; make it first.")
    if target.exists() and source.exists() and target.samefile(source):
        raise OptionError(f"{target} is the input, too; give another output.")


def _pack_sha256(work: Work) -> str | None:
    """Of the pack's manifest, which has the hashes of all else."""
    if work.model is None:
        return None
    from edgeward.pack import Pack
    from edgeward.store import folder_of

    return Pack.open(folder_of(work.model), check_hashes=False).sha256
