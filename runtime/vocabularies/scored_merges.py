"""The merge rules that a vocabulary with scores stands for.

SentencePiece's BPE keeps no merges: it joins the two neighbours whose union has the best score.
Knows: pieces and scores. Does not know: files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def merges_by_score(ids: Mapping[str, int], scores: Sequence[float]) -> list[list[str]]:
    """Every way to make a piece of two others, best score first.

    `ids` holds the pieces that take part in merging; `scores` is by id. The rules of one piece
    stand together: a tokenizer.json that says `"merges_share_ranks": true` gives them one rank, so
    that of two places the first is merged, as SentencePiece does. Of pieces with equal scores the
    longer ones come first: that is what "the first place" comes to where they are parts of each
    other, as the runs of spaces in Llama's vocabulary are.

    >>> merges_by_score({"a": 0, "b": 1, "ab": 2, "aba": 3}, [0.0, 0.0, -1.0, -2.0])
    [['a', 'b'], ['ab', 'a']]
    """
    rules = []
    for piece in sorted(ids, key=lambda piece: (-scores[ids[piece]], -len(piece), ids[piece])):
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in ids and right in ids:
                rules.append([left, right])
    return rules
