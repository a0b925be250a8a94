"""A tensor that was quantized here: codes with their scales, on a grid that graphs carry over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .schemes.grids import Format, Values
from .schemes.simple import nearest
from .views import View
from .weights import Floats, Grid


@dataclass(frozen=True)
class OnGrid(View):
    """`inner` rounded to `values` of format `form` by the algorithm `how`."""

    form: Format
    values: Values
    how: str

    @property
    def storage(self) -> str:
        return f"{self.how} from {self.inner.storage}"

    def floats(self, start: int, stop: int) -> Floats:
        return self.grid(start, stop).floats()

    def grid(self, start: int, stop: int) -> Grid:
        return _grid(self.values.cut(start, stop), self.form)


@dataclass(frozen=True)
class NearestGrid(View):
    """`inner` rounded to nearest in format `form` whenever it is read: nothing is held."""

    form: Format

    @property
    def storage(self) -> str:
        return f"nearest from {self.inner.storage}"

    def floats(self, start: int, stop: int) -> Floats:
        return self.grid(start, stop).floats()

    def grid(self, start: int, stop: int) -> Grid:
        return _grid(nearest(self.inner.floats(start, stop), self.form), self.form)


def _grid(part: Values, form: Format) -> Grid:
    # A level counts from the lowest code of the format, and takes its scale's sign along.
    offset = form.offset
    levels = (part.values.astype(np.int16) + offset).astype(np.uint8)
    minimum = -np.float32(offset) * part.scales
    if part.minima is not None:
        minimum = part.minima + minimum if offset else part.minima
    return Grid(levels, part.scales, minimum, (1 << form.bits) - 1)
