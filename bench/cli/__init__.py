"""`edgeward bench`: one command for each suite; a model's name alone means the suite `model`."""

from __future__ import annotations

from typing import Any

import typer

from edgeward.cli.lazy import LazyGroup

SUITES = {
    "all": "edgeward.bench.cli.whole:whole",
    "ab": "edgeward.bench.cli.ab:ab",
    "compare": "edgeward.bench.cli.compare:compare",
    "report": "edgeward.bench.cli.report:report",
    "model": "edgeward.bench.cli.model:bench",
    "operators": "edgeward.bench.cli.operators:operators",
    "sampling": "edgeward.bench.cli.sampling:sampling",
    "safety": "edgeward.bench.cli.safety:safety",
    "serve": "edgeward.bench.cli.serve:serve",
    "soak": "edgeward.bench.cli.soak:soak",
    "structured": "edgeward.bench.cli.structured:structured",
    "tokenizer": "edgeward.bench.cli.tokenizer:tokenizer",
}


class Suites(LazyGroup):
    """The suites above."""

    table = SUITES

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # `edgeward bench smollm2-135m` is `edgeward bench model smollm2-135m`.
        if args and args[0] not in SUITES and args[0] != "--help":
            args = ["model", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Suites, add_completion=False, no_args_is_help=True, rich_markup_mode="markdown"
)


@app.callback()
def _root() -> None:
    """Measure on this machine: a model, or one part of the runtime against its peers.

    A model's name alone measures that model; `edgeward bench COMMAND --help` has more.

    Examples:

    `edgeward bench smollm2-135m`

    `edgeward bench model smollm2-135m --prompt 512`
    """
