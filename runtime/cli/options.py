"""Options that several sub-commands share, and how they become arguments of the Python API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeward.errors import OptionError

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

Safety = Annotated[
    str | None,
    typer.Option(
        help="Checks of questions and answers: toxicity, jailbreak, pii, separated by commas; "
        "jailbreak=strict or pii=report sets a threshold or a policy."
    ),
]

Schema = Annotated[
    Path | None, typer.Option(help="File with a JSON schema that the answer must obey.")
]
ResponseFormat = Annotated[
    str | None,
    typer.Option(
        help='What the answer must obey, as JSON: {"type": "regex", "pattern": "yes|no"}; or json '
        "for any JSON object."
    ),
]


def response_format(schema: Path | None, text: str | None) -> dict[str, Any] | None:
    """The argument `response_format` of the two options. Raises `OptionError`."""
    if schema is None and text is None:
        return None
    if schema is not None and text is not None:
        raise OptionError("--schema and --response-format say the same; give one of them.")
    if schema is not None:
        try:
            return {"type": "json_schema", "schema": json.loads(schema.read_bytes())}
        except OSError as error:
            raise OptionError(f"cannot read {schema}: {error.strerror or error}.") from None
        except (ValueError, RecursionError) as error:
            raise OptionError(f"{schema} is no JSON: {error}.") from None
    if text == "json":
        return {"type": "json_object"}
    try:
        value: dict[str, Any] = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise OptionError(f"--response-format is no JSON: {error}.") from None
    return value


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that were given; the others are left to the model's defaults."""
    return {name: value for name, value in arguments.items() if value not in (None, [])}
