"""The model's vocabulary as llguidance takes it: the bytes of every token, and which ones end.

Knows: token bytes, special tokens. Does not know: grammars, requests. Building it takes about 0.3 s
for 49,152 tokens and is done once a model, at its first structured request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from edgeward.tokenizer import Tokenizer

if TYPE_CHECKING:
    from llguidance import LLTokenizer


class Vocabulary:
    """What llguidance asks of a tokenizer: its `TokenizerWrapper` by another maker.

    `count` tokens, of which `end_ids` end an answer. Without an end token a nameless one is added
    behind the last: it stands for "may end here" and is never drawn.
    """

    is_tokenizer_wrapper = True
    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, count: int, end_ids: Iterable[int]) -> None:
        self._tokenizer = tokenizer
        self.tokens = [tokenizer.token_bytes(i) for i in range(count)]
        special = [i for i in range(count) if tokenizer.is_special(i)]
        self.end_ids = sorted(i for i in set(end_ids) if 0 <= i < count)
        # A token that ends must not be text as well.
        special = sorted({*special, *self.end_ids})
        if not self.end_ids:
            self.tokens.append(b"<end>")
            special.append(count)
            self.end_ids = [count]
        self.special_token_ids = special
        self.eos_token_id = self.end_ids[0]
        self._special = frozenset(special)
        self._greedy: LLTokenizer | None = None

    def plain(self, count: int) -> bytes:
        """For each of `count` tokens: 1 for text that goes on, 0 for what may close or open a part
        (a special token, or one with a quote, a bracket or the end of a line)."""
        marks = re.compile(rb'["{}\[\]<>\n]')
        return bytes(
            int(id not in self._special and not marks.search(raw))
            for id, raw in enumerate(self.tokens[:count])
        )

    def build(self) -> LLTokenizer:
        """The llguidance tokenizer."""
        from llguidance import LLTokenizer

        # Its type stub names the class of its own maker where any object of this shape serves.
        made = LLTokenizer(self, len(self.tokens), self.end_ids)  # type: ignore[arg-type]
        self._greedy = made
        return made

    def __call__(self, text: str | bytes) -> list[int]:
        """The tokens of a forced text: the model's own where they spell it exactly.

        A tokenizer may add a space in front, and reads names of special tokens as such; a grammar
        means neither. Then the longest tokens from left to right are taken.
        """
        ids = self._tokenizer.encode(text, add_special_tokens=False)
        raw = text.encode() if isinstance(text, str) else text
        plain = self._special.isdisjoint(ids) and all(i < len(self.tokens) for i in ids)
        if plain and b"".join(self.tokens[i] for i in ids) == raw:
            return ids
        if self._greedy is None or isinstance(text, bytes):
            return []  # only during the build, which tries the call out
        return self._greedy.greedy_tokenize(text)
