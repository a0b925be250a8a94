"""Formats to matchers: compiled once, copied for each request.

Knows: llguidance's limits and errors. Does not know: requests, sampling. A format that cannot be
compiled, that no text satisfies, or whose first step is over a limit, is an error here, before
anything of a request is computed.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from edgeward.errors import ResponseFormatError
from edgeward.tokenizer import Tokenizer

from .formats import Format

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

    from .closing import Closing
    from .guide import Guide, Words

KEPT = 64
"""Compiled formats kept for later requests, the latest used."""


class Grammars:
    """Compiled formats of one model. Safe to use from many threads.

    `count` tokens have logits; `end_ids` end an answer.
    """

    def __init__(self, tokenizer: Tokenizer, count: int, end_ids: Iterable[int]) -> None:
        self.tokenizer = tokenizer
        self.end_ids = tuple(end_ids)
        self._count = count
        self._lock = threading.Lock()
        self._tokens: LLTokenizer | None = None
        self._words: Words | None = None
        self._compiled: OrderedDict[Format, LLMatcher] = OrderedDict()
        self._shortest: dict[Format, list[int] | None] = {}
        self._closing: Closing | None = None

    def guide(self, format: Format, most: int = 0, forcing: bool = True) -> Guide:
        """A guide at the start of an answer; see `Guide` for the other two.

        Raises `ResponseFormatError`, see `check`.
        """
        from .guide import Guide

        start = self.check(format)
        assert self._words is not None
        way = self._shortest_way(format, start) if format.is_closable else None
        # Where nothing at all is an answer (text that may call tools) there is nothing to close.
        closing = self._closing if way else None
        return Guide(start.deep_copy(), self._words, most, forcing, closing, len(way or ()))

    def _shortest_way(self, format: Format, start: LLMatcher) -> list[int] | None:
        """The shortest whole answer that was found; looked for once a format."""
        from .closing import LONGEST, Closing

        with self._lock:
            if self._closing is None:
                assert self._words is not None
                self._closing = Closing(self.tokenizer, self._words.known)
            if format in self._shortest:
                return self._shortest[format]
        way = self._closing.path(start, LONGEST)
        with self._lock:
            if format in self._compiled:  # else it would never be forgotten
                self._shortest[format] = way
        return way

    def check(self, format: Format) -> LLMatcher:
        """Compile `format` and keep it. Raises `ResponseFormatError` if it cannot be used."""
        with self._lock:
            if format in self._compiled:
                self._compiled.move_to_end(format)
                return self._compiled[format]
            if self._tokens is None:
                self._tokens, self._words = self._vocabulary()
            tokens = self._tokens
        # llguidance lets go of the GIL while it compiles; other requests go on meanwhile.
        made = _compile(format, tokens)
        with self._lock:
            self._compiled[format] = made
            while len(self._compiled) > KEPT:
                old, _ = self._compiled.popitem(last=False)
                self._shortest.pop(old, None)
        return made

    def _vocabulary(self) -> tuple[LLTokenizer, Words]:
        from .guide import Words
        from .vocabulary import Vocabulary

        count, made = self._count, Vocabulary(self.tokenizer, self._count, self.end_ids)
        ends = tuple(i for i in self.end_ids if 0 <= i < count)
        return made.build(), Words(count, len(made.tokens), ends, made.plain(count))


def _compile(format: Format, tokens: LLTokenizer) -> LLMatcher:
    from llguidance import LLMatcher, LLParserLimits

    # JSON makes long rows (four items a property) and is never ambiguous; a grammar may be, and
    # then a step costs the square of its row.
    json_like = format.is_closable
    limits = LLParserLimits(
        max_lexer_states=50_000,
        step_lexer_fuel=200_000,
        max_items_in_row=2_000 if json_like else 1_000,
        step_max_items=50_000 if json_like else 20_000,
        verbose_errors=False,
    )
    matcher = LLMatcher(tokens, _definition(format), log_level=0, limits=limits)
    if not matcher.is_error():
        # An empty language and an over-complex first step show only here.
        matcher.compute_bitmask()
    if matcher.is_error():
        raise ResponseFormatError(f"{_NAMES[format.syntax]} cannot be used: {reason(matcher)}.")
    return matcher


_NAMES = {
    "json": "the schema",
    "regex": "the regex",
    "lark": "the grammar",
    "gbnf": "the grammar",
    "tools": "the grammar of the tools",
}


def _definition(format: Format) -> str:
    from llguidance import LLMatcher

    if format.syntax == "json":
        return json.dumps({"grammars": [{"json_schema": json.loads(format.source)}]})
    if format.syntax == "regex":
        return LLMatcher.grammar_from_regex(format.source)
    source = _lark(format.source) if format.syntax == "gbnf" else format.source
    return LLMatcher.grammar_from_lark(source)


def _lark(gbnf: str) -> str:
    """Lark of llama.cpp's GBNF. Raises `ResponseFormatError`."""
    from llguidance.gbnf_to_lark import any_to_lark

    try:
        return any_to_lark(gbnf)
    except Exception as error:  # its own errors have no common base but this
        raise ResponseFormatError(f"the grammar is no GBNF: {error}.") from None


def reason(matcher: LLMatcher) -> str:
    """llguidance's error in one line, without its state."""
    text = matcher.get_error().split("<state>")[0].split("<backtrace>")[0].split("<non-verbose")[0]
    line = " ".join(text.split()).rstrip(".")
    if line.startswith("NoExtension") or not line:
        return "no text satisfies it"
    return line if len(line) <= 400 else line[:400] + " ..."
