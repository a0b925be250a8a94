"""`edgeward chat`: a conversation in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeward.errors import ContextOverflow, EdgewardError

from . import answer
from .options import (
    Context,
    MaxTokens,
    MinP,
    ModelName,
    RepetitionPenalty,
    ResponseFormat,
    Safety,
    Schema,
    Seed,
    Temperature,
    Threads,
    TopK,
    TopP,
    given,
)
from .options import response_format as format_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeward.model import Model
    from edgeward.safety import Check

HELP = """\
/help             this list
/reset            forget the conversation
/undo             forget the last question and its answer
/system TEXT      set the system message and start anew; without TEXT, show it
/set NAME VALUE   change a sampling argument (temperature, top_p, max_tokens ...)
/stats            figures after each answer, on or off
/quit             leave (so does Ctrl-D)
Ctrl-C stops an answer. Begin and end with \"\"\" for a question of several lines."""


class Conversation:
    """The messages so far and the settings of the next answer."""

    def __init__(
        self,
        model: Model,
        system: str | None,
        sampling: dict[str, Any],
        response_format: dict[str, Any] | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        self.model = model
        self.checks = checks
        self.response_format = response_format
        self.system = system
        self.sampling = sampling
        self.stats = False
        self.turns: list[dict[str, str]] = []

    def ask(self, question: str) -> None:
        """Answer a question on the screen and remember both; an error forgets the question.

        So does a safety check that stops it: the model never sees it again.
        """
        head = [{"role": "system", "content": self.system}] if self.system is not None else []
        asked = {"role": "user", "content": question}
        stream = self.model.chat(
            [*head, *self.turns, asked],
            stream=True,
            response_format=self.response_format,
            safety_checks=self.checks,
            **self.sampling,
        )
        reply = answer.show(stream)
        print(" [stopped]" if reply.finish_reason == "cancelled" else "")
        for line in answer.objections(reply):
            print(line, file=sys.stderr)
        if self.stats:
            print(f"[{answer.figures(reply)}]", file=sys.stderr)
        if answer.refused(reply):
            return
        self.turns += [asked, {"role": "assistant", "content": reply.text}]

    def command(self, line: str) -> bool:
        """Carry out a line that begins with a slash; False to leave."""
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        if name in ("/quit", "/exit", "/bye"):
            return False
        if name == "/help":
            print(HELP)
        elif name == "/reset":
            self.turns.clear()
            print("(forgotten)")
        elif name == "/undo":
            del self.turns[-2:]
            print(f"({len(self.turns) // 2} questions left)")
        elif name == "/stats":
            self.stats = not self.stats
            print(f"(figures {'on' if self.stats else 'off'})")
        elif name == "/system":
            self._set_system(rest)
        elif name == "/set":
            self._set(rest)
        else:
            print(f"{name} is no command; /help lists them.", file=sys.stderr)
        return True

    def _set_system(self, text: str) -> None:
        if text:
            self.system = text
            self.turns.clear()
        print(f"(system message: {self.system or 'the template’s own'})")

    def _set(self, rest: str) -> None:
        from edgeward.sampling import SamplingOptions

        name, _, value = rest.partition(" ")
        changed = {**self.sampling, name: _number(value)}
        SamplingOptions.from_arguments(**changed)
        self.sampling = changed
        print(f"({name} = {changed[name]})")


def chat(
    model: ModelName,
    system: Annotated[str | None, typer.Option(help="The system message.")] = None,
    stats: Annotated[bool, typer.Option(help="Print figures after each answer.")] = False,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    seed: Seed = None,
    schema: Schema = None,
    response_format: ResponseFormat = None,
    safety: Safety = None,
    threads: Threads = None,
    context: Context = None,
) -> None:
    """Talk with a model. Ctrl-C stops an answer, /help lists commands, Ctrl-D leaves.

    Examples:

    `edgeward chat smollm2-135m`

    `edgeward chat smollm2-135m --system "You are a pirate." --temperature 0.8 --stats`

    `edgeward chat smollm2-135m --safety toxicity,jailbreak,pii`
    """
    sampling = given(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        seed=seed,
    )
    shape = format_of(schema, response_format)
    checks = checks_of(safety)
    import edgeward

    with edgeward.load(model, threads=threads, context=context) as loaded:
        conversation = Conversation(loaded, system, sampling, shape, checks)
        conversation.stats = stats
        if sys.stdin.isatty():
            _enable_editing()
            print(f"{loaded.info.name}, {loaded.info.context} tokens of context. /help for help.")
        while (line := _read()) is not None:
            if not line.strip():
                continue
            try:
                if not line.startswith("/"):
                    conversation.ask(line)
                elif not conversation.command(line.strip()):
                    break
            except ContextOverflow as error:
                print(f"the conversation is full: {error} /undo or /reset.", file=sys.stderr)
            except EdgewardError as error:
                print(f"error: {error}", file=sys.stderr)
            except KeyboardInterrupt:
                print("\n(Ctrl-D or /quit leaves)")


def checks_of(names: str | None) -> list[Check]:
    """The checks of `--safety`. Raises `OptionError`."""
    if names is None:
        return []
    from edgeward.safety.builtin import named

    return named(names)


def _enable_editing() -> None:
    """Arrow keys and recall of earlier lines, in memory only: nothing is written to disk."""
    try:
        import readline  # noqa: F401  (its import is its effect)
    except ImportError:  # pragma: no cover - Pythons built without it still chat
        return


def _read() -> str | None:
    """The next line or block of lines; None to leave."""
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            line = input(prompt)
            if not line.startswith('"""'):
                return line
            lines = [line[3:]]
            while not lines[-1].endswith('"""'):
                lines.append(input(". " if prompt else ""))
            lines[-1] = lines[-1][:-3]
            return "\n".join(lines)
        except EOFError:
            if prompt:
                print()
            return None
        except KeyboardInterrupt:
            print("\n(Ctrl-D or /quit leaves)")


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
