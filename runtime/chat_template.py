"""Chat templates: messages to one prompt, rendered as `transformers` renders them, in a sandbox.

Knows: Jinja, what the templates of model authors call, and how far a hostile one may go. Does not
know: tokenizers, models, where a template came from.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from .errors import TemplateError

MAX_TEMPLATE = 1 << 20  # characters of a template
MAX_OUTPUT = 1 << 26  # characters of a rendered prompt
MAX_STEPS = 1_000_000  # loop iterations and calls of one rendering
MAX_REPEAT = 1_000_000  # length of a sequence made by one operation
SECONDS = 5.0  # wall-clock time of one rendering


class ChatTemplate:
    """A compiled chat template. Safe from any thread.

    A template is code from a stranger. It runs in Jinja's immutable sandbox and cannot reach files,
    modules or private attributes; loops and calls are counted and watched by a clock, and what one
    operation may build is bounded. What remains: a chain of large filters can still use memory of
    the order of `MAX_REPEAT` times the size of its input before the clock is looked at again.

    Raises TemplateError if the source is too long or is no Jinja template.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAX_TEMPLATE:
            raise TemplateError(
                f"the chat template has {len(source)} characters; the limit is {MAX_TEMPLATE}"
            )
        self.source = source
        self._template = _compile(source)

    def render(self, **variables: Any) -> str:
        """The prompt for `variables`.

        Raises TemplateError with the template's own message where it calls `raise_exception`, and
        when it fails, leaves the sandbox, or takes too many steps, too long or too much room.
        """
        pieces: list[str] = []
        size = 0
        watch = self._template.environment.watch
        watch.start()
        try:
            for piece in self._template.generate(**variables):
                size += len(piece)
                if size > MAX_OUTPUT:
                    raise TemplateError(f"the prompt grows beyond {MAX_OUTPUT} characters")
                watch.step()
                pieces.append(piece)
        except TemplateError:
            raise
        except (RecursionError, MemoryError) as error:
            raise TemplateError(f"the chat template uses too much: {error}") from error
        except Exception as error:  # whatever a template's own code can raise
            raise TemplateError(f"the chat template failed: {error}") from error
        return "".join(pieces)


class Watch:
    """Counts the steps of the rendering on this thread and stops it when they are too many."""

    def __init__(self) -> None:
        self._local = threading.local()

    def start(self) -> None:
        self._local.steps = 0
        self._local.deadline = time.monotonic() + SECONDS

    def step(self) -> None:
        steps = self._local.steps = getattr(self._local, "steps", 0) + 1
        if steps > MAX_STEPS:
            raise TemplateError(f"the chat template takes more than {MAX_STEPS} steps")
        if steps % 64 == 0 and time.monotonic() > self._local.deadline:
            raise TemplateError(f"the chat template takes longer than {SECONDS} seconds")

    def paced(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.step()
            yield item


def refuse_large(size: int) -> None:
    if size > MAX_REPEAT:
        raise TemplateError(
            f"the chat template builds a sequence of {size} elements; the limit is {MAX_REPEAT}"
        )


def check_text_call(text: str, name: str, args: Sequence[Any]) -> None:
    """Refuses calls of str methods whose result is far larger than their input."""
    for value in args:
        if isinstance(value, int):
            refuse_large(abs(value))
    if name == "replace" and len(args) >= 2 and all(isinstance(a, str) for a in args[:2]):
        refuse_large(len(text) + text.count(args[0]) * len(args[1]))
    if name == "join" and args and isinstance(args[0], Sequence):
        refuse_large(len(text) * len(args[0]))
    if name in {"format", "format_map"}:
        check_format(text)


def check_format(text: str) -> None:
    if re.search(r"\d{6,}|\{[^}]*\{|\*", text):
        raise TemplateError(f"the chat template uses a format with a large width: {text[:80]!r}")


def check_operation(operator: str, left: Any, right: Any) -> None:
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(sequence, str | list | tuple) and isinstance(times, int):
                refuse_large(len(sequence) * max(times, 0))
        if isinstance(left, int) and isinstance(right, int):
            refuse_large(left.bit_length() + right.bit_length())
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        refuse_large(left.bit_length() * max(right, 0))
    elif operator == "%" and isinstance(left, str):
        check_format(left)


def to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as it is, where Jinja's own filter would escape it for HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message: str) -> None:
    raise TemplateError(f"the chat template refuses the messages: {message}")


def strftime_now(format: str) -> str:
    return datetime.now().strftime(format)


@lru_cache(maxsize=1)
def _environment_class() -> Callable[[], Any]:
    """Made at the first template, so that importing this module does not import Jinja."""
    import jinja2.ext
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(jinja2.ext.Extension):
        """`{% generation %}` marks the assistant's words for training; here it is its content."""

        tags = {"generation"}  # noqa: RUF012 - Jinja's own protocol

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def __init__(self) -> None:
            super().__init__(
                trim_blocks=True,
                lstrip_blocks=True,
                extensions=[Generation, jinja2.ext.loopcontrols],
            )
            self.watch = Watch()
            self.filters["tojson"] = to_json
            self.filters["paced "] = self.watch.paced  # a name no template can spell
            for name in ("replace", "center", "indent", "format"):
                self.filters[name] = self._checked_filter(name, self.filters[name])
            self.globals["raise_exception"] = raise_exception
            self.globals["strftime_now"] = strftime_now

        @staticmethod
        def _checked_filter(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
            method = {"indent": "center"}.get(name, name)

            def checked(*args: Any, **options: Any) -> Any:
                # Filters that want the evaluation context get it first.
                given = [a for a in args if not isinstance(a, nodes.EvalContext)]
                given += list(options.values())
                check_text_call(str(given[0]), method, given[1:])
                return run(*args, **options)

            for mark in ("jinja_pass_arg",):
                if hasattr(run, mark):
                    setattr(checked, mark, getattr(run, mark))
            return checked

        def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
            """Every loop of the template runs through the watch."""
            tree = super()._parse(source, name, filename)
            for loop in tree.find_all(nodes.For):
                loop.iter = nodes.Filter(loop.iter, "paced ", [], [], None, None)
            return tree

        def call(self, context: Any, obj: Any, /, *args: Any, **options: Any) -> Any:
            self.watch.step()
            owner = getattr(obj, "__self__", None)
            if isinstance(owner, str):
                check_text_call(owner, getattr(obj, "__name__", ""), [*args, *options.values()])
            return super().call(context, obj, *args, **options)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            check_operation(operator, left, right)
            return super().call_binop(context, operator, left, right)

    return Environment


def _compile(source: str) -> Any:
    import jinja2

    try:
        return _environment_class()().from_string(source)
    except (jinja2.TemplateError, RecursionError, SyntaxError, ValueError) as error:
        raise TemplateError(f"the chat template is no valid Jinja template: {error}") from error


def check_messages(messages: object) -> list[Mapping[str, Any]]:
    """`messages` as a list of mappings that each have a role. Raises TemplateError."""
    if isinstance(messages, str | bytes) or not isinstance(messages, Iterable):
        raise TemplateError(
            f"messages is {type(messages).__name__}; give a list of "
            '{"role": "user", "content": "..."} entries'
        )
    checked = []
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise TemplateError(
                f"messages[{number}] is {message!r:.80}; each message is a mapping with a "
                '"role" and a "content"'
            )
        checked.append(message)
    return checked
