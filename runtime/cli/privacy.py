"""`edgeward privacy`: what is kept on this device, where, and how to be rid of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from edgeward import store
from edgeward.errors import KeepError, OptionError


@dataclass(frozen=True)
class Kept:
    """One kind of data."""

    name: str
    path: Path
    what: str
    text: str
    """Whether words of users are in it."""


def data_map() -> list[Kept]:
    """All that edgeward keeps, present or not. Sessions are where their user saved them."""
    home = store.home()
    return [
        Kept("feedback", home / "feedback.db", "scores of answers, 90 days", "with keep_text only"),
        Kept("audit", home / "audit.jsonl", "one line a request: ends, counts, hashes", "no"),
        Kept("costs", home / "costs.db", "sums of cost by day, 400 days", "no"),
        Kept("drift", home / "drift", "counts of what was usual: lengths, ends, scripts", "no"),
        Kept("profiles", home / "profiles", "times of this device", "no"),
        Kept("keys", home / "keys.txt", "hashes of API keys", "no"),
        Kept("packs", home / "packs", "models", "no"),
        Kept("downloads", home / "downloads", "pieces of models being fetched", "no"),
    ]


ERASABLE = ("feedback", "audit", "costs", "drift", "profiles", "keys")


def privacy(
    erase: Annotated[
        list[str] | None,
        typer.Option(
            help="Delete feedback, audit, costs, drift, profiles or keys; repeat for more."
        ),
    ] = None,
    verify: Annotated[bool, typer.Option(help="Check the audit log's chain.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List what is stored where on this device, and erase it.

    Nothing is sent anywhere: there is nobody it could be asked back from.

    Examples:

    `edgeward privacy`

    `edgeward privacy --erase feedback`
    """
    for name in erase or []:
        if name not in ERASABLE:
            raise OptionError(
                f"--erase {name!r}; what can be erased here is {', '.join(ERASABLE)}. A pack is "
                f"removed by deleting its folder."
            )
    entries = {kept.name: kept for kept in data_map()}
    erased = [name for name in dict.fromkeys(erase or []) if _erase(entries[name].path)]
    found = [{**asdict(k), "path": str(k.path), "bytes": _size(k.path)} for k in entries.values()]
    chain = _chain() if verify else None
    if as_json:
        print(json.dumps({"kept": found, "erased": erased, "audit": chain}, ensure_ascii=False))
    else:
        for name in erased:
            print(f"erased {name}.")
        for row in found:
            size = "nothing" if row["bytes"] is None else f"{row['bytes']} bytes"
            print(f"{row['name']:10} {size:>16}  {row['what']}; text: {row['text']}")
            print(f"{'':10} {row['path']}")
        if chain is not None:
            print(f"audit log: {chain['lines']} lines are whole, the last has {chain['head']}.")
    if chain is not None and chain["problem"] is not None:
        raise KeepError(f"the audit log is broken: {chain['problem']}.")


def _chain() -> dict[str, object]:
    from edgeward.telemetry.audit import AuditLog

    return asdict(AuditLog().verify())


def _size(path: Path) -> int | None:
    """Bytes of a file or of all in a folder; None when there is nothing."""
    if path.is_dir():
        return sum(p.lstat().st_size for p in path.rglob("*") if not p.is_dir())
    return path.lstat().st_size if path.exists() else None


def _erase(path: Path) -> bool:
    """Delete a file or folder; False when there is none."""
    if not path.exists():
        return False
    try:
        if path.name == "feedback.db":
            from edgeward.telemetry.feedback import Feedback

            Feedback(path).erase()  # overwrites the rows before the file goes
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
            for beside in ("-wal", "-shm"):  # what SQLite may have left next to it
                path.with_name(path.name + beside).unlink(missing_ok=True)
    except OSError as error:
        raise KeepError(f"{path} cannot be erased: {error.strerror or error}.") from None
    return True
