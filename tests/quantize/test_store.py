"""The store: one at a time, whole or not at all, nothing left over."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from edgeward import store as lookup
from edgeward.errors import OptionError, PackError, SourceError
from edgeward.quantize import store


def put(name: str, content: str = "pack") -> Path:
    """A folder that looks like a pack, moved in as a pull does."""
    with store.hold(name), store.workspace(name) as space:
        made = space.work / "pack"
        made.mkdir()
        (made / "manifest.json").write_text(content)
        return store.install(made, name, space)


def leftovers(home: Path) -> list[Path]:
    return list((home / "downloads").iterdir())


def test_a_pack_that_was_moved_in_is_found(home: Path) -> None:
    folder = put("a")
    assert lookup.find("a") == folder == home / "packs" / "a"
    assert lookup.pack_names() == ["a"]
    assert store.packs() == [("a", 4)]
    assert leftovers(home) == []


def test_a_new_pack_replaces_the_old_one_whole(home: Path) -> None:
    put("a", "old")
    folder = put("a", "new")
    assert [f.read_text() for f in folder.iterdir()] == ["new"]
    assert leftovers(home) == []


def test_a_failed_replacement_leaves_the_old_pack(home: Path) -> None:
    put("a", "old")
    with (
        pytest.raises(FileNotFoundError),
        store.hold("a"),
        store.workspace("a") as space,
    ):
        store.install(space.work / "never made", "a", space)
    assert (lookup.find("a") / "manifest.json").read_text() == "old"


def test_an_old_pack_set_aside_by_a_killed_process_comes_back(home: Path) -> None:
    folder = put("a", "old")
    aside = home / "downloads" / "a" / "work"
    aside.mkdir(parents=True)
    folder.rename(aside / "replaced")
    with store.hold("a"):
        assert (lookup.find("a") / "manifest.json").read_text() == "old"


def test_the_next_pull_of_another_name_puts_it_back_too(home: Path) -> None:
    folder = put("a", "old")
    aside = home / "downloads" / "a" / "work"
    aside.mkdir(parents=True)
    folder.rename(aside / "replaced")
    put("b")
    assert lookup.pack_names() == ["a", "b"]
    assert leftovers(home) == []


def test_what_a_killed_pull_left_is_swept_by_any_later_one(home: Path) -> None:
    work = home / "downloads" / "dead" / "work"
    work.mkdir(parents=True)
    (work / "half").write_bytes(b"x")
    put("b")
    assert leftovers(home) == []


def test_a_pull_at_work_is_not_swept(home: Path) -> None:
    with store.hold("a"), store.workspace("a") as space:
        (space.work / "half").write_bytes(b"x")
        put("b")
        assert (space.work / "half").exists()


@pytest.mark.parametrize(("days", "kept"), [(1, True), (8, False)])
def test_a_checked_download_is_kept_for_a_week(home: Path, days: int, kept: bool) -> None:
    fetched = home / "downloads" / "a" / "fetched"
    fetched.mkdir(parents=True)
    (fetched / "model").write_bytes(b"x")
    then = time.time() - days * 24 * 3600
    os.utime(fetched.parent, (then, then))
    put("b")
    assert (fetched / "model").exists() is kept


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KeyboardInterrupt(), True),
        (SourceError("no network"), True),
        (OSError("disk full"), False),
        (ValueError("a fault"), False),
    ],
)
def test_a_checked_download_outlives_interruption_not_failure(
    home: Path, error: BaseException, kept: bool
) -> None:
    def fail() -> None:
        with store.hold("a"), store.workspace("a") as space:
            (space.work / "half").write_bytes(b"x")
            (space.fetched / "model").write_bytes(b"x")
            raise error

    with pytest.raises(type(error)):
        fail()
    left = [p.relative_to(home / "downloads") for p in (home / "downloads").rglob("*")]
    assert sorted(map(str, left)) == (["a", "a/fetched", "a/fetched/model"] if kept else [])


def test_two_threads_do_not_hold_one_name(home: Path) -> None:
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        with store.hold("a"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_two_names_may_be_held_at_once(home: Path) -> None:
    with store.hold("a"), store.hold("b"):
        pass


def test_who_waits_is_told_for_whom(home: Path) -> None:
    told: list[str] = []
    with store.hold("a"):

        def progress(phase: str, done: int, total: int, unit: str = "items") -> None:
            told.append(phase)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), store.hold("a", progress):
            pass
    assert told == [f"wait for another pull of a (process {os.getpid()})"]
    with store.hold("a"):  # whoever gave up waiting holds nothing
        pass


def test_a_removed_pack_is_gone_with_its_leftovers(home: Path) -> None:
    put("a")
    put("b")
    store.remove("a")
    assert lookup.pack_names() == ["b"]
    assert leftovers(home) == []


def test_removing_what_is_not_there_says_what_is(home: Path) -> None:
    put("b")
    with pytest.raises(PackError, match="it has b"):
        store.remove("a")


def test_a_link_in_the_store_is_removed_not_followed(home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "manifest.json").write_text("precious")
    (home / "packs").mkdir(parents=True)
    (home / "packs" / "a").symlink_to(outside)
    store.remove("a")
    assert (outside / "manifest.json").read_text() == "precious"
    assert lookup.pack_names() == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", ".a", "-a", "a\n", "a\0", "x" * 129]
)
def test_an_unsafe_name_is_refused_everywhere(home: Path, name: str) -> None:
    for use in (lookup.find, lookup.pack_folder, store.remove):
        with pytest.raises(OptionError, match="cannot name a pack"):
            use(name)
    assert not home.exists() or not list(home.rglob("*.lock"))
