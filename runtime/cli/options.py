"""Options that several sub-commands share, and how they become arguments of the Python API."""

from __future__ import annotations

from typing import Annotated, Any

import typer

ModelName = Annotated[
    str, typer.Argument(help="Name of a pulled pack, or a pack's folder.", metavar="MODEL")
]
Threads = Annotated[
    int | None, typer.Option(help="Threads of arithmetic; all physical cores if left out.")
]
Context = Annotated[
    int | None, typer.Option(help="Tokens for prompt and answer; the model's own if left out.")
]
MaxTokens = Annotated[int | None, typer.Option(help="Tokens to answer with at most.")]
Temperature = Annotated[
    float | None, typer.Option(help="0: always the likeliest token; 1: as the model says.")
]
TopP = Annotated[float | None, typer.Option(help="Choose among the likeliest with this mass.")]
TopK = Annotated[int | None, typer.Option(help="Choose among this many likeliest; 0: all.")]
MinP = Annotated[
    float | None, typer.Option(help="Drop what is less likely than this share of the likeliest.")
]
RepetitionPenalty = Annotated[
    float | None, typer.Option(help="Over 1: make tokens that stood before less likely.")
]
Seed = Annotated[int | None, typer.Option(help="Same seed, same answer.")]
Stop = Annotated[
    list[str] | None, typer.Option(help="Text that ends the answer; may be given several times.")
]


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that were given; the others are left to the model's defaults."""
    return {name: value for name, value in arguments.items() if value not in (None, [])}
