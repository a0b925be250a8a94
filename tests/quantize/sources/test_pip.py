"""pip as a child process: its success, its complaints, its end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import fake_index
import pytest

from edgeward.errors import SourceError
from edgeward.quantize.progress import silent
from edgeward.quantize.sources import pip


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def running(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `python -c code` stand for pip."""
    monkeypatch.setattr(pip, "_command", lambda requirement, wheels: [sys.executable, "-c", code])


def is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return False


def test_a_wheel_comes_from_where_the_users_pip_looks(index: Path, work: Path) -> None:
    made = fake_index.write_wheel(index, "model", {"x.txt": b"x" * 1000})
    found = pip.download("model", "1.0", made.stat().st_size, work, silent)
    assert found.read_bytes() == made.read_bytes()
    assert work in found.parents


def test_a_relative_path_in_the_users_settings_keeps_its_meaning(
    index: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_index.write_wheel(index, "model", {"x.txt": b"x"})
    monkeypatch.chdir(index.parent)
    monkeypatch.setenv("PIP_FIND_LINKS", f"./{index.name}")
    assert pip.download("model", "1.0", 100, work, silent).exists()


def test_a_folder_named_pip_in_the_current_folder_is_not_run(
    index: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_index.write_wheel(index, "model", {"x.txt": b"x"})
    (index / "pip").mkdir()
    (index / "pip" / "__main__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(index)
    assert pip.download("model", "1.0", 100, work, silent).exists()


def test_progress_never_goes_back_and_ends_full(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(
        "import os, time, pathlib\n"
        "room = pathlib.Path(os.environ['TMPDIR'])\n"
        "(room / 'wheels').mkdir()\n"
        "with open(room / 'unpacking', 'wb') as f:\n"
        "    for _ in range(10):\n"
        "        f.write(bytes(100)); f.flush(); time.sleep(0.05)\n"
        "os.rename(room / 'unpacking', room / 'wheels' / 'model-1.0-py3-none-any.whl')\n",
        monkeypatch,
    )
    told: list[int] = []
    pip.download("model", "1.0", 1000, work, lambda phase, done, *_: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1000
    assert len(set(told)) > 2


def test_an_unknown_package_is_reported_in_pips_own_words(index: Path, work: Path) -> None:
    with pytest.raises(SourceError, match=r"No matching distribution found for model==1\.0"):
        pip.download("model", "1.0", 100, work, silent)


def test_a_python_without_pip_is_told_how_to_get_it(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pip.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="ensurepip"):
        pip.download("model", "1.0", 100, work, silent)


def test_a_disk_that_fills_up_inside_pip_is_said_plainly(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running("raise SystemExit('OSError: [Errno 28] No space left on device')", monkeypatch)
    with pytest.raises(SourceError, match="the disk is full at"):
        pip.download("model", "1.0", 100, work, silent)


def test_pip_that_fetches_nothing_is_an_error(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running("import os; os.mkdir(os.environ['TMPDIR'] + '/wheels')", monkeypatch)
    with pytest.raises(SourceError, match=r"fetched nothing for model==1\.0"):
        pip.download("model", "1.0", 100, work, silent)


@pytest.mark.parametrize("stubborn", [False, True])
def test_ctrl_c_ends_pip_too(work: Path, monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else ""
    running(
        f"import os, pathlib, signal, time; {ignore}\n"
        f"pathlib.Path({str(work)!r}, 'pid').write_text(str(os.getpid())); time.sleep(60)",
        monkeypatch,
    )
    monkeypatch.setattr(pip, "_GRACE_SECONDS", 0.2)

    def interrupt(phase: str, done: int, total: int, unit: str = "items") -> None:
        if (work / "pid").exists() and (work / "pid").read_text():
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pip.download("model", "1.0", 100, work, interrupt)
    assert time.monotonic() - began < 30
    assert not is_running(int((work / "pid").read_text()))


def test_no_address_is_handed_to_pip(tmp_path: Path) -> None:
    command = pip._command("model==1.0", tmp_path)
    assert not [word for word in command if "://" in word or "index" in word]
    assert os.getpid() == int(command[3])
