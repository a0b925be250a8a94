"""`edgeward pull` on the command line: arguments in, progress and a path out."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward import store
from edgeward.errors import OptionError
from edgeward.pack import Pack

from . import store as writing
from .bars import shown
from .disk import in_words
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
    with shown(quiet=as_json) as progress:
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
