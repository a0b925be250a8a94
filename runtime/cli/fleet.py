"""`edgeward update` and `edgeward rollback` on the command line."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeward.fleet import Outcome

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def update(
    name: Annotated[
        str | None, typer.Argument(help="Model; all of them if left out.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            help="http(s) address or folder of a channel; remembered.", show_default=False
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Its publisher's public key (PEM); needed once.", show_default=False),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(
            help="Command that must end with 0 before a new version is used; it finds the pack in "
            "EDGEWARD_PACK. Remembered; '' forgets it.",
            show_default=False,
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try a release that was refused here again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring models to what their signed channel has for this device.

    Changed pieces are fetched, everything is verified, and the pack's stored prompts are answered
    before the new version is used. The version before is kept: `edgeward rollback`. Exit code 0:
    the models are as they should be, or the channel could not be reached and they stay as they are.

    Examples:

      edgeward update smollm2-135m --channel https://models.example.com/stable --key public.pem

      edgeward update
    """
    from edgeward.fleet import update as bring

    bar = _Line(quiet=as_json)
    outcomes = bring(name, channel=channel, key=key, gate=gate, retry=retry, progress=bar.show)
    bar.end()
    _tell(outcomes, as_json)


def rollback(
    name: Annotated[str, typer.Argument(help="Model.")],
    as_json: AsJson = False,
) -> None:
    """Use the version of a model that was in use before; the present one is not tried again.

    edgeward rollback smollm2-135m
    """
    from edgeward.fleet import rollback as back

    _tell([back(name)], as_json)


def _tell(outcomes: list[Outcome], as_json: bool) -> None:
    if as_json:
        print(json.dumps([dataclasses.asdict(outcome) for outcome in outcomes]))
    else:
        for outcome in outcomes:
            print(_words(outcome), file=sys.stdout if outcome.ok else sys.stderr)
    if not all(outcome.ok for outcome in outcomes):
        raise typer.Exit(1)


def _words(outcome: Outcome) -> str:
    pack = f"pack {outcome.pack[:12]}" if outcome.pack else "no version"
    tally = outcome.tally
    if outcome.action == "updated":
        here = tally.reused + tally.resumed
        return (
            f"{outcome.name}: {pack} is in use; {tally.fetched / 1e6:.1f} MB fetched, "
            f"{here / 1e6:.1f} MB were here."
        )
    said = {
        "current": "is in use, nothing to do.",
        "rolled back": "is in use again.",
        "offline": "stays; the channel was not reached: ",
        "waiting": "stays: ",
        "refused": "stays; the new release was refused: ",
        "failed": "stays: ",
    }[outcome.action]
    return f"{outcome.name}: {pack} {said}{outcome.reason}"


class _Line:
    """What is being done, in one line on a terminal's standard error; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and sys.stderr.isatty()
        self._shown = ""

    def show(self, step: str, done: int, total: int) -> None:
        """A `Progress`."""
        text = f"{step} {done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else step
        if self._on and text != self._shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._shown = text

    def end(self) -> None:
        """Clear the line."""
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
