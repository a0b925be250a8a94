"""Where models come from. One small protocol, one table of kinds; a new kind is one more row.

A text is understood by the first kind that claims it, in the order of `KINDS`: a name in the
catalog, a path on this machine, an id on the Hugging Face hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeward import manifest
from edgeward.errors import SourceError
from edgeward.quantize.progress import Progress


@dataclass(frozen=True)
class Fetched:
    """A model on this machine: a GGUF file or a Hugging Face folder, and where it came from.

    `licence` is None where only the model's own files may say. `advice` holds the makers' sampling
    settings (fields of `manifest.Generation`) that are written down elsewhere than in the files.
    """

    model: Path
    source: manifest.Source
    licence: str | None
    advice: Mapping[str, float] = field(default_factory=dict)


class Source(Protocol):
    """One model that could be fetched. Making the object touches no network."""

    @property
    def name(self) -> str:
        """A good name for the pack, before it is made safe."""

    @property
    def space(self) -> int:
        """Most bytes that `fetch` takes in the store at any time; 0 if not known beforehand."""

    @property
    def size(self) -> int:
        """Bytes that the fetched model takes in the store; 0 if not known beforehand."""

    @property
    def weights(self) -> int:
        """How many weights the model has, about; 0 if not known beforehand."""

    def made(self, source: manifest.Source) -> bool:
        """Whether a pack whose manifest says `source` was made from this model."""

    def fetch(self, fetched: Path, work: Path, progress: Progress) -> Fetched:
        """Bring the model here.

        What is complete and checked goes to the folder `fetched`, which may hold the same from an
        interrupted try; everything else to the folder `work`. Raises `SourceError`.
        """


Kind = Callable[[str], Source | None]


def _kinds() -> tuple[Kind, ...]:
    from . import catalog, hub, path

    return (catalog.claim, path.claim, hub.claim)


def resolve(text: str) -> Source:
    """The source that `text` means; see `docs/pull.md` for the grammar. Fetches nothing.

    Raises `SourceError` for a text that no kind claims, or that names a file that is not there.
    """
    for claim in _kinds():
        if (source := claim(text)) is not None:
            return source
    from .catalog import CATALOG

    raise SourceError(
        f"{text!r} is no model source: give a catalog name ({', '.join(CATALOG)}), a path to a "
        f".gguf file or a Hugging Face folder, or a hub id such as 'org/model'."
    )
