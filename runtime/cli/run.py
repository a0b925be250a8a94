"""`edgeward run`: one prompt, one answer."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer

from edgeward.errors import OptionError
from edgeward.reply import Reply

from . import answer
from .options import (
    Context,
    MaxTokens,
    MinP,
    ModelName,
    RepetitionPenalty,
    ResponseFormat,
    Schema,
    Seed,
    Stop,
    Temperature,
    Threads,
    TopK,
    TopP,
    given,
)
from .options import response_format as format_of


def run(
    model: ModelName,
    prompt: Annotated[
        str, typer.Argument(help="What to say; - reads it from standard input.", metavar="PROMPT")
    ],
    system: Annotated[str | None, typer.Option(help="A system message before it.")] = None,
    raw: Annotated[bool, typer.Option(help="Continue the text instead of answering it.")] = False,
    stats: Annotated[bool, typer.Option(help="Print figures after the answer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole reply as JSON.")] = False,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    seed: Seed = None,
    schema: Schema = None,
    response_format: ResponseFormat = None,
    stop: Stop = None,
    threads: Threads = None,
    context: Context = None,
) -> None:
    """Ask once and print the answer.

    Examples:

    `edgeward run smollm2-135m "What is the capital of France?"`

    `cat letter.txt | edgeward run smollm2-135m - --system "Summarize."`

    `edgeward run smollm2-135m "Once upon a time" --raw --max-tokens 50 --seed 7`

    `edgeward run smollm2-135m "Invent a person." --schema person.json`
    """
    if raw and system is not None:
        raise OptionError("--raw continues a text and has no place for --system; give one of them.")
    text = sys.stdin.read() if prompt == "-" else prompt
    sampling = given(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        seed=seed,
        response_format=format_of(schema, response_format),
        stop=stop,
    )
    import edgeward

    with edgeward.load(model, threads=threads, context=context) as loaded:
        if raw:
            stream = loaded.generate(text, stream=True, **sampling)
        else:
            messages = [{"role": "system", "content": system}] if system is not None else []
            messages.append({"role": "user", "content": text})
            stream = loaded.chat(messages, stream=True, **sampling)
        if as_json:
            print(json.dumps(as_dict(stream.result()), ensure_ascii=False))
            return
        reply = answer.show(stream)
    print()
    if stats:
        print(f"[{answer.figures(reply)}]", file=sys.stderr)
    if reply.finish_reason == "cancelled":
        raise typer.Exit(130)


def as_dict(reply: Reply) -> dict[str, object]:
    """A reply as JSON takes it."""
    return dataclasses.asdict(reply)
