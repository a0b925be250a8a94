"""Regions of the data file are page-aligned, do not touch each other, and hold what was put."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeward.quantize.graph.data_file import PAGE, DataFile


def test_arrays_lie_at_pages_and_hold_what_was_written(tmp_path: Path) -> None:
    arrays = [
        np.arange(n, dtype=kind) for n in (1, 1023, 1024, 1025) for kind in (np.float32, "u1")
    ]
    with DataFile(tmp_path / "d") as data:
        regions = [data.add(array) for array in arrays]
    content = (tmp_path / "d").read_bytes()
    assert len(content) == data.size
    assert data.size % PAGE == 0
    for region, array in zip(regions, arrays, strict=True):
        assert region.offset % PAGE == 0
        stored = np.frombuffer(content, region.dtype, region.shape[0], region.offset)
        np.testing.assert_array_equal(stored, array)


def test_pieces_may_come_in_any_order(tmp_path: Path) -> None:
    with DataFile(tmp_path / "d") as data:
        region = data.reserve((4, 3), np.float32)
        data.write(region, np.full((2, 3), 2, np.float32), start=6)
        data.write(region, np.full((2, 3), 1, np.float32), start=0)
    stored = np.fromfile(tmp_path / "d", np.float32, 12).reshape(4, 3)
    np.testing.assert_array_equal(stored, [[1] * 3, [1] * 3, [2] * 3, [2] * 3])


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        DataFile(tmp_path / "d")
    assert (tmp_path / "d").read_bytes() == b"old"
