"""The slow, obvious twins of the tokenizer kernels: merging, and streams with stop strings.

Knows: the definitions. Does not know: tokenizer files, Unicode classes; for those the reference is
the `tokenizers` package, which the tests compare with directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise


def merge(symbols: Sequence[int], rules: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Byte-pair encoding (Sennrich et al., 2016).

    `rules` maps a pair of ids to (rank, id of both together). The pair of the lowest rank, leftmost
    first, is merged until no pair has a rule.
    """
    word = list(symbols)
    while True:
        ranked = [(rules[pair][0], at) for at, pair in enumerate(pairwise(word)) if pair in rules]
        if not ranked:
            return word
        _, at = min(ranked)
        word[at : at + 2] = [rules[word[at], word[at + 1]][1]]


def stop_at(text: str, stop: Sequence[str]) -> tuple[str, str | None]:
    """`text` up to the stop string that is complete first, and that string.

    Of several complete at the same place the longest, which starts first, wins.
    """
    found = [
        (text.index(string) + len(string), -len(string), string)
        for string in stop
        if string in text
    ]
    if not found:
        return text, None
    end, _, string = min(found)
    return text[: end - len(string)], string
