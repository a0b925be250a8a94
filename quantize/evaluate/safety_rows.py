"""Labelled texts for the evaluation of safety checks: a user's JSON lines, or made sentences.

Knows: one JSON object a line with `text` and `label` (1 unsafe, 0 safe), and `set` and `subgroup`
where given. Does not know: checks. The made sentences come from the training grammar under a seed
of their own: they show bias and breakage, not how well a filter generalizes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from edgeward.errors import EdgewardError

from ..safety.grammar import attacks, benign, identity, languages
from .safety import Sample

_SEED = 20_260


def read(paths: Sequence[Path]) -> list[Sample]:
    """Samples of all files; a line without `set` belongs to the set named after its file.

    Raises `EdgewardError` for a file that cannot be read and for a line that lacks text or label.
    """
    return [sample for path in paths for sample in _read(path)]


def _read(path: Path) -> Iterator[Sample]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _sample(json.loads(line), path, number)
    except (OSError, ValueError) as error:
        raise EdgewardError(f"cannot read labelled texts from {path}: {error}.") from error


def _sample(row: object, path: Path, number: int) -> Sample:
    text, label = (row.get("text"), row.get("label")) if isinstance(row, dict) else (None, None)
    if not isinstance(text, str) or label not in (0, 1):
        raise EdgewardError(
            f"{path}, line {number}: needs a text (a string) and a label (0 safe, 1 unsafe), "
            f"has text {text!r:.40} and label {label!r}."
        )
    assert isinstance(row, dict)
    return Sample(text, int(label), str(row.get("set", path.stem)), str(row.get("subgroup", "")))


def made(head: str) -> list[Sample]:
    """About 1,500 made sentences for `toxicity` or `jailbreak`."""
    rng = Random(_SEED)
    if head == "toxicity":
        found = [Sample(t, y, f"identity {kind}") for t, y, kind in identity.rows(300, _SEED)]
        found += [Sample(text, 0, "neutral", group) for group, text in identity.neutral_by_group()]
        return found + [Sample(text, 0, f"benign {kind}") for text, kind in benign.rows(300, rng)]
    found = [Sample(text, 1, "attacks") for text in attacks.bare(400, rng)]
    found += [Sample(text, 0, f"benign {kind}") for text, kind in benign.rows(800, rng)]
    return found + [Sample(t, y, "languages", lang) for t, y, lang in languages.rows(400, rng)]
