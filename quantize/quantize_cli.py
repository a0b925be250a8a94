"""`edgeward quantize`: a local model and a target in, a plan and a pack out."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError
from edgeward.pack import Pack

from .bars import shown
from .disk import explained, in_words
from .plan import Plan, loss_of, size_of

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def quantize(
    source: Annotated[Path, typer.Argument(help="A .gguf file or a Hugging Face folder.")],
    out: Annotated[Path, typer.Argument(help="The pack's folder; replaced at the end if there.")],
    bits: Annotated[
        float | None,
        typer.Option(help="Bits a weight at most, embedding and head included: 4.5 to 8.5."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Bytes of graph and weights at most, such as 92MB.")
    ] = None,
    max_kl: Annotated[
        float | None, typer.Option("--max-kl", help="Mean KL on the built-in text at most.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="gptq; search: best scales only; nearest: no calibration.")
    ] = "gptq",
    text: Annotated[
        Path | None, typer.Option(help="UTF-8 text to calibrate on; otherwise a built-in one.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the pack; otherwise its folder's.")
    ] = None,
    no_eval: Annotated[
        bool, typer.Option("--no-eval", help="Do not measure the loss: faster.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="Threads of arithmetic.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Make a pack of 4- and 8-bit weights under a target: bits a weight, bytes, or loss.

    What each matrix's rounding does to the answers is measured, and bits go where they save most;
    blocks that the source already holds in such a form are carried over exactly. The plan is
    printed and stored in the pack. Given again after an interruption, the command goes on where it
    was.

    Examples:

      edgeward quantize model.gguf packs/mine --bits 4.5

      edgeward quantize ./folder packs/mine --size 92MB --text my-domain.txt

      edgeward quantize model.gguf packs/mine --max-kl 0.01
    """
    from edgeward.store import check_name

    from .convert import convert
    from .evaluate.pack import read_text
    from .intake import read_model
    from .keep import Keep
    from .model_files import licence_of
    from .quantizer import Quantizer, Target
    from .sources.path import of
    from .tokenizer_files import collect

    target = Target(bits, None if size is None else in_bytes(size), max_kl)
    found = of(source)
    content = read_text(text) if text is not None else None
    keep = Keep(out, found.sha256, method, content.sha256 if content else "")
    plans: list[Plan] = []
    work = Quantizer(
        target,
        method=method,  # type: ignore[arg-type]  # checked there
        text=content,
        threads=threads,
        show=plans.append,
        keep=keep,
    )
    chosen = check_name(name or _safe(out.absolute().name))
    with explained(out.absolute().parent), shown(quiet=as_json) as progress:
        if method != "nearest":
            keep.open()
        weights = read_model(found.path)
        files = collect(found.path, weights.metadata)
        fetched = found.fetch(out, out, progress)
        manifest = convert(
            found.path,
            out,
            name=chosen,
            source=fetched.source,
            licence=licence_of(found.path, weights.metadata),
            tokenizer=files.tokenizer,
            chat_template=files.chat_template,
            generation=files.generation,
            evaluate=not no_eval,
            rounding=work,
            progress=progress,
        )
        keep.remove()
    plan = plans[-1]
    all_files = sum(entry.size for entry in manifest.files.values())
    if as_json:
        assert manifest.recipe is not None
        print(
            json.dumps(
                {
                    "name": chosen,
                    "path": str(out),
                    "bytes": all_files,
                    "weight_bytes": size_of(plan),
                    "expected_kl": manifest.recipe.expected_kl,
                    "mean_kl": manifest.evaluation.mean_kl if manifest.evaluation else None,
                    "formats": manifest.recipe.formats,
                    "sha256": Pack.open(out, check_hashes=False).sha256,
                }
            )
        )
        return
    _print_plan(plan, method)
    loss = f", mean KL {manifest.evaluation.mean_kl:.4f}" if manifest.evaluation else ""
    print(f"{chosen}: {in_words(all_files)} in {out}{loss}")


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-")[:100] or "model"


def in_bytes(text: str) -> int:
    """ "92MB" as 92,000,000. Raises `OptionError` for anything else than a number and a unit."""
    matched = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*", text)
    if matched is None or matched[2].upper() not in _UNITS:
        raise OptionError(f"--size {text!r}: give a number and KB, MB, GB, KiB, MiB or GiB.")
    return int(float(matched[1]) * _UNITS[matched[2].upper()])


def _print_plan(plan: Plan, method: str) -> None:
    table = Table(title="plan", title_justify="left")
    for column in ("matrices", "format", "how many", "MB", "expected KL, to nearest"):
        table.add_column(column, justify="left" if column in ("matrices", "format") else "right")
    counts: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    losses: dict[tuple[str, str], float] = {}
    for name, choice in plan.items():
        how = f"{choice.form.name}, " + ("as in the source" if choice.exact else method)
        key = name.rpartition(".")[2], how
        counts[key] += 1
        sizes[key] += choice.bytes
        losses[key] = losses.get(key, 0.0) + choice.loss
    for (kind, how), count in counts.items():
        key = kind, how
        loss = "" if method == "nearest" else f"{losses[key]:.4f}"
        table.add_row(kind, how, str(count), f"{sizes[key] / 1e6:.1f}", loss)
    total = "" if method == "nearest" else f"{loss_of(plan):.4f}"
    table.add_row("all", "", str(len(plan)), f"{size_of(plan) / 1e6:.1f}", total)
    Console(width=100).print(table)
