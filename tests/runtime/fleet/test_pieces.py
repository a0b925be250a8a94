"""Files are cut so that a change, an insertion of pages or a cut-off costs only pieces near it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edgeward.fleet import pieces

PAGE = pieces.PAGE


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def random(pages: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(pages * PAGE)


def shas(path: Path) -> set[str]:
    return {sha for sha, _, _ in pieces.cut(path)}


SIZES = [0, 1, PAGE, 16 * PAGE, 16 * PAGE + 1, 256 * PAGE - 1, 256 * PAGE, 257 * PAGE + 5]
SIZES += [2048 * PAGE - 1, 2048 * PAGE, 2048 * PAGE + 1, 5000 * PAGE + 77]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["random", "zeros"])
def test_pieces_make_up_the_file_and_keep_their_bounds(
    tmp_path: Path, size: int, kind: str
) -> None:
    content = bytes(size) if kind == "zeros" else np.random.default_rng(1).bytes(size)
    found = list(pieces.cut(write(tmp_path / "file", content)))
    assert sum(n for _, _, n in found) == size
    at = 0
    for number, (sha, offset, n) in enumerate(found):
        assert offset == at
        assert sha == hashlib.sha256(content[at : at + n]).hexdigest()
        assert n <= pieces.LONGEST * PAGE
        assert n >= pieces.SHORTEST * PAGE or number == len(found) - 1
        at += n


def test_the_cuts_do_not_depend_on_how_much_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "file", random(3000) + b"end")
    whole = list(pieces.cut(file))
    for slab in (256, 300, 4096):
        monkeypatch.setattr(pieces, "_SLAB", slab)
        assert list(pieces.cut(file)) == whole


def test_one_changed_byte_changes_one_or_two_pieces(tmp_path: Path) -> None:
    content = bytearray(random(4000))
    before = shas(write(tmp_path / "a", bytes(content)))
    content[2000 * PAGE + 17] ^= 1
    assert 1 <= len(shas(write(tmp_path / "b", bytes(content))) - before) <= 3


def test_pages_put_in_between_move_the_others_without_changing_them(tmp_path: Path) -> None:
    content = random(4000)
    before = shas(write(tmp_path / "a", content))
    moved = content[: 1000 * PAGE] + random(5, seed=2) + content[1000 * PAGE :]
    after = shas(write(tmp_path / "b", moved))
    assert len(before) > 20
    assert len(after - before) <= 3


def test_pieces_are_of_a_middling_size(tmp_path: Path) -> None:
    found = [n for _, _, n in pieces.cut(write(tmp_path / "a", random(8000)))]
    assert 200_000 < np.mean(found) < 450_000


def test_the_cuts_are_part_of_the_format(tmp_path: Path) -> None:
    # Another choice of cuts would make every device fetch everything once.
    digest = hashlib.sha256(repr(list(pieces.cut(write(tmp_path / "a", random(2000))))).encode())
    assert digest.hexdigest() == "ce23dfaeb175f8d1ee9bc57cba98267fd09b5fabdd5d89d4627594364a387734"
