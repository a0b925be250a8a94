"""`edgeward pull` on the command line: arguments in, progress and a path out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from edgeward import store
from edgeward.errors import OptionError
from edgeward.pack import Pack

from . import store as writing
from .disk import in_words
from .progress import Progress
from .pull import DEFAULT_BITS
from .pull import pull as make
from .sources.catalog import CATALOG
from .sources.wheel import convertible


def pull(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Catalog name, path of a .gguf file or Hugging Face folder, or hub id "
            "(org/model, org/model:file.gguf).",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the pack; otherwise the source's.", show_default=False),
    ] = None,
    bits: Annotated[int, typer.Option(help="Bits a weight.")] = DEFAULT_BITS,
    no_eval: Annotated[
        bool, typer.Option("--no-eval", help="Do not measure the loss of quantization: faster.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Make the pack anew, replacing one of that name.")
    ] = False,
    show_list: Annotated[
        bool, typer.Option("--list", help="Show the catalog and the packs on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Fetch a model, convert it, and keep it as a pack on this machine.

    Examples:

      edgeward pull smollm2-135m

      edgeward pull ./model.Q8_0.gguf --name mine

      edgeward pull HuggingFaceTB/SmolLM2-360M-Instruct

      edgeward pull --list
    """
    if show_list:
        _print_list(as_json)
        return
    if source is None:
        raise OptionError("`edgeward pull` needs a source; `edgeward pull --list` shows names.")
    with _shown(quiet=as_json) as progress:
        folder = make(
            source, name=name, bits=bits, evaluate=not no_eval, force=force, progress=progress
        )
    opened = Pack.open(folder, check_hashes=False)
    size = sum(entry.size for entry in opened.manifest.files.values())
    if as_json:
        report = {"name": opened.manifest.name, "path": str(folder), "bytes": size}
        print(json.dumps({**report, "sha256": opened.sha256}))
    else:
        print(f"{opened.manifest.name}: {in_words(size)} in {folder}")


def _print_list(as_json: bool) -> None:
    local = writing.packs()
    if as_json:
        catalog = [
            {"name": m.name, "summary": m.summary, "licence": m.licence, "download": m.download,
             "parameters": m.parameters, "convertible": convertible(m.family)}
            for m in CATALOG.values()
        ]  # fmt: skip
        packs = [{"name": n, "bytes": size, "path": str(store.pack_folder(n))} for n, size in local]
        print(json.dumps({"store": str(store.home()), "catalog": catalog, "packs": packs}))
        return
    table = Table("name", "what it is", "licence", "download", title="Catalog")
    for model in CATALOG.values():
        known = "" if convertible(model.family) else " (not convertible yet)"
        table.add_row(model.name, model.summary + known, model.licence, in_words(model.download))
    Console().print(table)
    print(f"Packs in {store.packs_folder()}:")
    for name, size in local:
        print(f"  {name}  {in_words(size)}")
    if not local:
        print("  none yet")


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Progress]:
    """A bar for each phase, on standard error; nothing at all when `quiet`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    console = Console(stderr=True, quiet=quiet)
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        shown = _Phases(bars)
        yield shown
        shown.end_current()


class _Phases:
    """`Progress` drawn by rich: a new phase ends the one before."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._phase = ""
        self._task: TaskID | None = None

    def __call__(self, phase: str, done: int, total: int, unit: str = "items") -> None:
        if self._task is None or phase != self._phase:
            self.end_current()
            self._phase, self._task = phase, self._bars.add_task(phase, total=None, state="")
        state = _state(done, total, unit)
        self._bars.update(self._task, completed=done, total=total or None, state=state)

    def end_current(self) -> None:
        """A bar of unknown length runs to and fro until it is told that it is full."""
        if self._task is not None:
            if self._bars.tasks[self._task].total is None:
                self._bars.update(self._task, total=1, completed=1)
            self._bars.stop_task(self._task)


def _state(done: int, total: int, unit: str) -> str:
    if not total:
        return ""
    if unit == "bytes":
        return f"{in_words(done)} of {in_words(total)}"
    return f"{done} of {total}"
