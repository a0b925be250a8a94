"""`edgeward publish` on the command line."""

from __future__ import annotations

import dataclasses
import json
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from edgeward import store
from edgeward.errors import OptionError
from edgeward.fleet.words import WHOLE

from . import disk
from .disk import in_words
from .publish import DAYS


def publish(
    model: Annotated[str, typer.Argument(help="Name of a pulled pack, or a pack's folder.")],
    channel: Annotated[Path, typer.Argument(help="Folder of the channel; made if it is new.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key (PEM) that signs the channel.")],
    rollout: Annotated[str, typer.Option(help="Share of the devices that get it.")] = "100%",
    days: Annotated[int, typer.Option(help="Days until the index expires.")] = DAYS,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove pieces that no release needs any more.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take the newest release of MODEL back instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Put a pack into a signed channel, from which devices update: `edgeward update`.

    Publish again with another --rollout to widen it, or only to renew the index before it expires.

    Examples:

      openssl genpkey -algorithm ed25519 -out key.pem

      openssl pkey -in key.pem -pubout -out public.pem

      edgeward publish smollm2-135m channel --key key.pem --rollout 10%

      edgeward publish smollm2-135m channel --key key.pem --withdraw
    """
    from . import publish as publishing

    share = _share(rollout)
    with disk.explained(channel):
        if withdraw:
            made = publishing.withdraw(model, channel, key, days=days)
        else:
            folder = _folder(model)
            made = publishing.publish(folder, channel, key, rollout=share, days=days, prune=prune)
    if as_json:
        print(json.dumps(dataclasses.asdict(made)))
        return
    until = time.strftime("%Y-%m-%d", time.gmtime(made.expires))
    print(
        f"{made.name}: index {made.version}, good until {until}; pack {made.pack[:12]} for "
        f"{made.rollout / 100:g} % of the devices; {in_words(made.new_bytes)} of "
        f"{in_words(made.bytes)} are new in the channel."
    )
    if made.pruned_bytes:
        print(f"{in_words(made.pruned_bytes)} were pruned.")


def _share(text: str) -> int:
    """Hundredths of a percent in "10%", "10" or "0.5 %"."""
    try:
        value = Decimal(text.strip().removesuffix("%").strip()) * 100
        if 0 <= value <= WHOLE and value == int(value):
            return int(value)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise OptionError(f"--rollout {text}; give 0% to 100%, with at most two decimals.")


def _folder(model: str) -> Path:
    """A path is taken as it is; a bare name is looked up."""
    if "/" in model or (Path(model) / "manifest.json").is_file():
        return Path(model)
    return store.find(model)
