"""What a run is to do, as a value that another process can be given, and how it is opened there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeward.errors import OptionError

if TYPE_CHECKING:
    from edgeward.model import Model
    from edgeward.safety.check import Check

    from .worker import Worker

BLOCKS = {"chat": 4, "generate": 4, "embed": 64, "safety": 256}
"""The tasks, and the rows of a block, which one thread works on: many where a row is quick."""


@dataclass(frozen=True)
class Work:
    """A task with its settings. Two equal works give equal results for equal rows."""

    task: str
    model: str | None = None
    """A pack's name or folder; None for a task that needs none."""
    field: str | None = None
    """The field of a row that holds its text; None: "prompt" (or "messages"), "text"."""
    keep: tuple[str, ...] = ("id", "custom_id")
    """Fields of a row that its result repeats."""
    system: str | None = None
    sampling: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    safety: tuple[Check, ...] = ()
    role: str = "user"
    truncate: bool = False
    load: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Arguments of `edgeward.load`."""

    def __post_init__(self) -> None:
        if self.task not in BLOCKS:
            raise OptionError(f"task={self.task!r}; there are {', '.join(map(repr, BLOCKS))}.")
        if self.task != "safety" and self.model is None:
            raise OptionError(f"the task {self.task!r} needs a model; give one, such as a pack.")
        if self.task == "safety" and self.model is not None:
            raise OptionError("the task 'safety' needs no model; leave it out.")
        if self.task in ("embed", "safety"):
            for name in ("sampling", "system"):
                if getattr(self, name):
                    raise OptionError(f"the task {self.task!r} writes no text; leave out {name}.")

    @property
    def block(self) -> int:
        """Rows of a block."""
        return BLOCKS[self.task]

    def asked(self, pack_sha256: str | None) -> dict[str, Any]:
        """What results depend on: what must not change between a run and the one that goes on."""
        import edgeward

        names = ("task", "field", "keep", "system", "sampling", "role", "truncate")
        return {
            **{name: getattr(self, name) for name in names},
            "safety": [_described(check) for check in self.safety],
            "graph": self.load.get("graph"),
            "context": self.load.get("context"),
            "pack_sha256": pack_sha256,
            "edgeward": edgeward.__version__,
        }

    def open(self, concurrency: int | None = None) -> Worker:
        """Load what the task needs, for `concurrency` blocks at once (None: what is best).

        Raises what `edgeward.load` raises, `OptionError`.
        """
        if self.task == "safety":
            from .scoring import Scoring

            return Scoring(self.safety, self.keep, field=self.field, role=self.role)
        import edgeward

        assert self.model is not None
        model = edgeward.load(self.model, **self.load)
        try:
            return self._with(model, concurrency)
        except BaseException:
            model.close()
            raise

    def _with(self, model: Model, concurrency: int | None) -> Worker:
        if self.task == "embed":
            from .embedding import Embedding

            return Embedding(model, self.keep, field=self.field, truncate=self.truncate)
        from .generating import Generating

        return Generating(
            model,
            self.keep,
            chat=self.task == "chat",
            field=self.field,
            system=self.system,
            sampling={"seed": 0, **self.sampling},
            safety_checks=self.safety or None,
            concurrency=concurrency,
        )


def _described(check: Check) -> dict[str, Any]:
    """A check's settings; those that JSON has no word for by their hash."""
    made = {}
    for name, value in vars(check).items():
        if name.startswith("_"):
            continue
        try:
            made[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            made[name] = hashlib.sha256(repr(value).encode()).hexdigest()
    return made
