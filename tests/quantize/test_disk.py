"""A disk's troubles in words that help."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edgeward.errors import SourceError
from edgeward.quantize import disk


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (98_362_432, "98.4 MB"),
        (999_960_000, "1.0 GB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_sizes_are_in_decimal_units(size: int, words: str) -> None:
    assert disk.in_words(size) == words


def test_too_little_space_is_said_before_the_work(tmp_path: Path) -> None:
    free = disk.free_bytes(tmp_path)
    disk.check_space(tmp_path / "not" / "there", free // 2, "this")
    with pytest.raises(SourceError, match=r"this needs .* where .* are free.*EDGEWARD_HOME"):
        disk.check_space(tmp_path / "not" / "there", 2 * free + 10**12, "this")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_path_and_the_space(tmp_path: Path, number: int) -> None:
    with pytest.raises(SourceError) as caught, disk.explained(tmp_path, 5_000_000):
        raise OSError(number, "full")
    assert f"the disk is full at {tmp_path}" in str(caught.value)
    assert "the whole job needs 5.0 MB" in str(caught.value)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_missing_permission_names_the_path(tmp_path: Path, number: int) -> None:
    expected = r"no permission to write /some/where .*EDGEWARD_HOME"
    with pytest.raises(SourceError, match=expected), disk.explained(tmp_path):
        raise OSError(number, "denied", "/some/where")


def test_any_other_trouble_keeps_its_words(tmp_path: Path) -> None:
    expected = "/some/where: Input/output error"
    with pytest.raises(SourceError, match=expected), disk.explained(tmp_path):
        raise OSError(errno.EIO, "Input/output error", "/some/where")


def test_other_errors_pass_untouched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), disk.explained(tmp_path):
        raise ValueError("mine")
