"""Sentences made from templates: what the collected rows are short of, or say with a bias.

Knows: how to fill a template. A template names lists in braces, which may name lists again; every
choice comes from the generator handed in, so a seed gives the same sentences everywhere. Does not
know: labels; the modules of this package hold templates and say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

Lists = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Part:
    """Some of the templates of every list: every `of`-th, or all but those.

    A filter that learnt from sentences of the one is judged on sentences of the other, whose
    templates it has never seen.
    """

    number: int = 0
    of: int = 1
    inside: bool = True

    def __call__(self, templates: Sequence[str]) -> list[str]:
        """Those of `templates` that belong to it, in order."""
        return [
            template
            for at, template in enumerate(templates)
            if (at % self.of == self.number) == self.inside
        ]


ALL = Part()


def fill(template: str, lists: Lists, rng: Random) -> str:
    """`template` with every {name} replaced by one entry of `lists[name]`, filled in turn."""
    return _SLOT.sub(lambda slot: fill(rng.choice(lists[slot[1]]), lists, rng), template)


def sentences(templates: Sequence[str], lists: Lists, count: int, rng: Random) -> list[str]:
    """About `count` different sentences, the templates in turn; fewer where they are exhausted."""
    made: dict[str, None] = {}
    for turn in range(3 * count):
        if len(made) >= count:
            break
        made[fill(templates[turn % len(templates)], lists, rng)] = None
    return list(made)
