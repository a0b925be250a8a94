"""Tensors made of other tensors: multiplied, shifted, or with elements in another order.

Intake brings every family to one form with them. Knows numbers, no files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .weights import Floats, Grid, Tensor


@dataclass(frozen=True)
class View:
    """What all of them share: the name, shape and storage of `inner`, and no grid."""

    inner: Tensor

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.inner.shape

    @property
    def storage(self) -> str:
        return self.inner.storage

    def floats(self, start: int, stop: int) -> Floats:
        return self.inner.floats(start, stop)

    def grid(self, start: int, stop: int) -> Grid | None:
        return None


@dataclass(frozen=True)
class Times(View):
    """`inner` times one number. Stays on its grid: scales and minima are multiplied."""

    factor: float

    def floats(self, start: int, stop: int) -> Floats:
        return self.inner.floats(start, stop) * np.float32(self.factor)

    def grid(self, start: int, stop: int) -> Grid | None:
        grid = self.inner.grid(start, stop)
        if grid is None:
            return None
        factor = np.float32(self.factor)
        return Grid(grid.levels, grid.scale * factor, grid.minimum * factor, grid.top)


@dataclass(frozen=True)
class Plus(View):
    """The vector `inner` plus one number: norms whose files hold weight - 1."""

    amount: float

    def floats(self, start: int, stop: int) -> Floats:
        return self.inner.floats(start, stop) + np.float32(self.amount)


@dataclass(frozen=True)
class Elements(View):
    """The elements `order` of the vector `inner`."""

    order: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.order.size,)

    def floats(self, start: int, stop: int) -> Floats:
        return np.ascontiguousarray(self.inner.floats(start, stop)[:, self.order])
