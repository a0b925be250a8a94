"""The rows that the scorers learn from: collected ones, made ones, and what each counts for.

Knows: the collected files (JSON lines with text, label, source, task), which sources stay out, and
the weight of a row. Does not know: features, models. A row may say something about one head and
nothing about another. Kept out: rows of a gated upstream, and BIPIA, which is for judging.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from edgeward.errors import EdgewardError
from edgeward.kernels import _native

from .grammar import Part, attacks, benign, documents, identity, languages, persuasion, tongues

HEADS = ("toxicity", "jailbreak")
UNKNOWN = -1

MOST_OF_A_SOURCE = 3000
PARTS = 3
"""Of the templates: each is left out of training once."""
POWER, MADE = (0.5, 0.75), 2.0
"""Chosen by leaving sources out; a power for each head."""
LONGEST = 4000
"""Characters; of a longer row the beginning is read."""

# One style each, left out together when generalization to unseen styles is measured.
GROUPS = {
    "PyRIT": "wild",
    "TrustAIRLab": "wild",
    "sherdencooper": "wild",
    "verazuo": "wild",
    "yjw1029": "wild",
    "S-Labs": "slabs",
    "neuralchemy": "neuralchemy",
    "yanismiraoui": "yanismiraoui",
    "HannahKirk": "hatemoji",
    "Vicomtech": "stormfront",
    "amandacurry": "convabuse",
    "ipavlopoulos": "comments",
    "t-davidson": "davidson",
    "thu-coai": "diasafety",
    "PlexPt": "actas_zh",
    "PolyAI": "banking",
    "clinc": "clinc",
    "openai/grade": "gsm",
    "teknium1/GPTeacher codegen": "codegen",
    "teknium1/GPTeacher roleplay": "roleplay",
    "teknium1/GPTeacher toolformer": "toolformer",
    "yizhongw": "selfinstruct",
}


@dataclass(frozen=True)
class Row:
    """A text, what is known of it for each head, and where it is from."""

    text: str
    labels: tuple[int, int]
    """For each of HEADS: 1 unsafe, 0 safe, UNKNOWN."""
    group: str
    part: int = -1
    """Of made rows, which part of the templates they came from; -1 for collected ones."""


def collected(folder: Path) -> Iterator[Row]:
    """Rows of the files in `folder`.

    Raises `EdgewardError` when one is missing or damaged.
    """
    for name, task in (("jailbreak", 1), ("toxicity", 0), ("benign", None)):
        for line in _lines(folder / f"{name}.jsonl"):
            if line.get("upstream") == "wildguard_judgecomp":
                continue
            label = int(line["label"])
            # Comments say nothing about attacks: as safe rows they would make style the label.
            known = (0, 0) if task is None else (label, UNKNOWN) if task == 0 else (UNKNOWN, label)
            text = cleaned(line["text"], line["source"])
            if text:
                yield Row(text, known, _group(line["source"]))


def requests(folder: Path) -> list[str]:
    """Harmful requests, to be put into frames; alone they are no row, asking is not attacking."""
    lines = _lines(folder / "harmful_request.jsonl")
    return [line["text"] for line in lines if line.get("lang", "en") == "en"]


def made(folder: Path, size: int, seed: int) -> Iterator[Row]:
    """About twelve times `size` made rows, part after part of the templates."""
    for number in range(PARTS):
        yield from _made(folder, size // PARTS, seed + number, number)


def _made(folder: Path, size: int, seed: int, number: int) -> Iterator[Row]:
    rng, part = Random(seed), Part(number, PARTS)
    harmful = requests(folder)
    plain = [line["text"] for line in _lines(folder / "benign.jsonl")]
    short = [text for text in plain if 15 < len(text) < 160]
    passages = [text[:600] for text in plain if len(text) > 150]
    passages += [
        line["text"][:600]
        for line in _lines(folder / "toxicity.jsonl")
        if "Wikipedia" in line["source"] and not line["label"] and len(line["text"]) > 120
    ]

    def row(text: str, toxic: int, attack: int, kind: str) -> Row:
        return Row(text[:LONGEST], (toxic, attack), "made_" + kind, number)

    for text, toxic, kind in identity.rows(size, seed, part):
        yield row(text, toxic, UNKNOWN, "identity_" + kind)
    for text in attacks.bare(2 * size, rng, part):
        yield row(text, 0, 1, "attack")
    for text in attacks.carried(harmful, attacks.FICTION, size // 2, rng, part):
        yield row(text, UNKNOWN, 1, "fiction")
    for text in attacks.carried(short, attacks.FICTION, size // 2, rng, part):
        yield row(text, 0, 0, "fiction")
    for text in attacks.carried(harmful + short, attacks.FORCED, size // 2, rng, part):
        yield row(text, UNKNOWN, 1, "forced")
    for text in attacks.suffixed(harmful + short, size // 4, rng):
        yield row(text, UNKNOWN, 1, "suffix")
    for text, kind in benign.rows(2 * size, rng, part):
        yield row(text, 0, 0, kind)
    for text, attack, _ in languages.rows(size, rng, part):
        yield row(text, 0, attack, "languages")
    for text, attack in persuasion.rows(2 * size, rng, part):
        yield row(text, 0, attack, "persuasion")
    for text, attack in tongues.rows(size, rng, part):
        yield row(text, 0, attack, "tongues")
    for text, attack in documents.rows(passages, size, rng, part):
        yield row(text, UNKNOWN, attack, "documents")


def load(folder: Path, size: int = 1500, seed: int = 7) -> list[Row]:
    """All rows, each text once, no source with more than MOST_OF_A_SOURCE rows of a label.

    Texts are normalized, as the checks score nothing else.
    """
    rng = Random(seed)
    rows = [*collected(folder), *made(folder, size, seed)]
    rng.shuffle(rows)
    seen: set[str] = set()
    count: Counter[tuple[str, tuple[int, int]]] = Counter()
    kept = []
    for row in rows:
        key = " ".join(row.text.lower().split())
        place = (row.group, row.labels)
        if key in seen or count[place] >= MOST_OF_A_SOURCE:
            continue
        seen.add(key)
        count[place] += 1
        kept.append(dataclasses.replace(row, text=_native.safety_normalize(row.text)[0]))
    return [row for row in kept if row.text]


def weights(rows: Sequence[Row], head: int) -> list[float]:
    """What each row counts: large sources little more than small ones, both labels the same.

    A source counts with its size to the power POWER, a made one MADE times that, so that no
    source's style becomes the label merely by its size. Rows that say nothing count 0.
    """
    sizes = Counter((row.group, row.labels[head]) for row in rows)
    raw = [
        0.0
        if r.labels[head] == UNKNOWN
        else sizes[r.group, r.labels[head]] ** (POWER[head] - 1) * (MADE if r.part >= 0 else 1)
        for r in rows
    ]
    total = [
        sum(w for r, w in zip(rows, raw, strict=True) if r.labels[head] == label)
        for label in (0, 1)
    ]
    known = sum(w > 0 for w in raw)
    return [w * known / (2 * total[max(r.labels[head], 0)]) if w else 0.0
            for r, w in zip(rows, raw, strict=True)]  # fmt: skip


_TWEET = re.compile(r"\bRT\b|@\w+:?|https?://\S+")


def cleaned(text: str, source: str) -> str:
    """NFKC, the beginning of long texts; tweets without entities, names and links."""
    if "davidson" in source:
        text = _TWEET.sub(" ", html.unescape(text))
    return unicodedata.normalize("NFKC", text[:LONGEST]).strip()


def _group(source: str) -> str:
    for start, group in GROUPS.items():
        if source.startswith(start):
            return group
    raise EdgewardError(f"source '{source}' has no group; add it to GROUPS in safety/rows.py.")


def _lines(path: Path) -> Iterable[dict[str, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise EdgewardError(f"cannot read safety rows from {path}: {error}.") from error
