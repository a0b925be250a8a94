"""What an interrupted `edgeward quantize` had finished, beside the pack that was to be.

Knows a folder, plans and rounded matrices. What is kept belongs to one source, text, method and
version: under another key it is thrown away, never mixed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

import edgeward

from .plan import Choice
from .schemes.grids import FORMATS, Format, Values

_KEY, _CHOICES = "key", "choices.json"


class _Row(msgspec.Struct, array_like=True):
    form: str
    exact: bool
    bytes: int
    loss: float


class Keep:
    """Finished parts in the folder `.NAME.resume` beside `out`; a file is whole or not there."""

    def __init__(self, out: Path, *key: str) -> None:
        out = out.absolute()
        self.folder = out.parent / f".{out.name}.resume"
        self._key = json.dumps([edgeward.__version__, np.__version__, *key])
        self._part = self.folder

    def open(self) -> None:
        """Take up what is there, if it is of the same key."""
        try:
            same = (self.folder / _KEY).read_text() == self._key
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            self.remove()
            self.folder.mkdir(parents=True)
            (self.folder / _KEY).write_text(self._key)

    def remove(self) -> None:
        """Throw all of it away."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def choices(self) -> dict[str, list[Choice]] | None:
        """The priced choices, or None where they are not there."""
        try:
            rows = msgspec.json.decode(
                (self.folder / _CHOICES).read_bytes(), type=dict[str, list[_Row]]
            )
            return {
                name: [Choice(FORMATS[r.form], r.exact, r.bytes, r.loss) for r in of]
                for name, of in rows.items()
            }
        except (OSError, msgspec.DecodeError, KeyError):
            return None  # measured again

    def save_choices(self, choices: Mapping[str, list[Choice]]) -> None:
        rows = {
            name: [_Row(c.form.name, c.exact, c.bytes, c.loss) for c in of]
            for name, of in choices.items()
        }
        self._write(self.folder / _CHOICES, msgspec.json.encode(rows))

    def take_plan(self, plan: Mapping[str, Format | None]) -> None:
        """From now on, matrices are those of this plan: each depends on the layers before it."""
        words = {name: form.name if form else None for name, form in plan.items()}
        digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
        self._part = self.folder / digest[:16]
        self._part.mkdir(exist_ok=True)

    def matrix(self, name: str) -> Values | None:
        """A rounded matrix, or None where it is not there."""
        try:
            # Opened here: NumPy leaves a damaged archive open.
            with (
                (self._part / f"{name}.npz").open("rb") as file,
                np.load(file, allow_pickle=False) as found,
            ):
                minima = found.get("minima", None)
                return Values(found["values"], found["scales"], minima)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None  # rounded again

    def save_matrix(self, name: str, values: Values) -> None:
        path = self._part / f"{name}.npz"
        arrays = {"values": values.values, "scales": values.scales}
        if values.minima is not None:
            arrays["minima"] = values.minima
        half = path.with_suffix(".half")
        with half.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(half, path)

    def _write(self, path: Path, content: bytes) -> None:
        half = path.with_suffix(".half")
        half.write_bytes(content)
        os.replace(half, path)
