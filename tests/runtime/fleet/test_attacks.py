"""Whatever a channel or the network does, nothing wrong is used, and the next good try works."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import channel_packs
import channel_server
import msgspec
import pytest
from channel_packs import NAME, Publisher, in_use
from channel_server import Request

from edgeward.errors import ChannelError, OptionError
from edgeward.fleet import Outcome, assemble, keys, pieces, sealed, transport, trial, update
from edgeward.fleet import channel as channels
from edgeward.fleet.words import Index, piece_path
from edgeward.pack import Pack
from edgeward.quantize.publish import publish


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials only open the pack: what they find is tested in test_update.py and test_kill.py."""
    monkeypatch.setattr(trial, "check", lambda folder, gate: Pack.open(folder))


def first(publisher: Publisher, url: str) -> None:
    """The device has version 1; the channel offers version 3."""
    publisher.publish("1")
    assert update(NAME, channel=url, key=publisher.public)[0].action == "updated"
    publisher.publish("3")


def cut(request: Request) -> bool:
    request.send(200, request.content[: len(request.content) // 2], length=len(request.content))
    return True


def flip(request: Request) -> bool:
    changed = bytearray(request.content)
    changed[len(changed) // 2] ^= 1
    request.send(200, bytes(changed))
    return True


def grow(request: Request) -> bool:
    request.send(200, request.content + b"x")
    return True


def lie(request: Request) -> bool:
    request.send(200, request.content, length=1 << 50)
    return True


def drop(request: Request) -> bool:
    request.handler.connection.shutdown(socket.SHUT_RDWR)
    request.handler.close_connection = True
    return True


def garbage(request: Request) -> bool:
    request.handler.wfile.write(b"\x00\xff not http\r\n\r\n")
    request.handler.close_connection = True
    return True


def busy(request: Request) -> bool:
    request.send(503, b"")
    return True


def gone(request: Request) -> bool:
    request.send(404, b"")
    return True


def endless(request: Request) -> bool:
    request.send(302, b"", Location="/" + request.path)
    return True


def to_a_file(request: Request) -> bool:
    request.send(302, b"", Location="file:///etc/passwd")
    return True


FAULTS = [cut, flip, grow, lie, drop, garbage, busy, gone, endless, to_a_file]


@pytest.mark.parametrize("part", ["index.json", "recipes/", "pieces/"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_faulty_server_changes_nothing_and_the_next_run_completes(
    publisher: Publisher, home: Path, fault: Callable[[Request], bool], part: str
) -> None:
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.fault = lambda request: request.path.startswith(part) and fault(request)
        (outcome,) = update(NAME)
        assert outcome.action in ("offline", "failed")
        assert outcome.pack == publisher.sha("1") == in_use()
        server.fault = None
        assert update(NAME)[0].action == "updated"
        assert in_use() == publisher.sha("3")


@pytest.mark.parametrize("fault", [cut, flip, drop, busy], ids=lambda f: f.__name__)
def test_a_fault_that_passes_is_not_even_noticed(
    publisher: Publisher, home: Path, fault: Callable[[Request], bool]
) -> None:
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.fault = lambda r: r.path.startswith("pieces/") and r.times == 1 and fault(r)
        assert update(NAME)[0].action == "updated"
        assert in_use() == publisher.sha("3")


def test_a_run_that_was_cut_off_is_resumed_where_it_was(publisher: Publisher, home: Path) -> None:
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.asked.clear()
        server.fault = lambda r: r.path.startswith("pieces/") and server.pieces() > 2 and drop(r)
        (outcome,) = update(NAME)
        assert outcome.action == "offline"
        assert "kept for the next" in outcome.reason
        server.fault = None
        server.asked.clear()
        (outcome,) = update(NAME)
        assert outcome.action == "updated"
        assert outcome.tally.resumed > 0
        assert server.pieces() == len(pieces_of(publisher, "3") - pieces_of(publisher, "1")) - 2


def pieces_of(publisher: Publisher, which: str) -> set[str]:
    files = publisher.packs[which].iterdir()
    return {sha for file in files for sha, _, _ in pieces.cut(file)}


def test_what_lies_damaged_in_the_work_folder_is_fetched_again(
    publisher: Publisher, home: Path
) -> None:
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.asked.clear()
        server.fault = lambda r: r.path.startswith("pieces/") and server.pieces() > 2 and drop(r)
        assert update(NAME)[0].action == "offline"
        work = home / "fleet/models" / NAME / "work" / publisher.sha("3")
        damaged = 0
        for file in work.iterdir():
            if content := file.read_bytes():
                file.write_bytes(b"\0" * (len(content) + 10))
                damaged += 1
        assert damaged
        server.fault = None
        assert update(NAME)[0].action == "updated"
        assert in_use() == publisher.sha("3")


def test_a_link_in_the_work_folder_is_not_followed(
    publisher: Publisher, home: Path, tmp_path: Path
) -> None:
    first(publisher, str(publisher.channel))
    work = home / "fleet/models" / NAME / "work" / publisher.sha("3")
    work.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (work / "card.md").symlink_to(victim)
    (outcome,) = update(NAME)
    assert (outcome.action, victim.read_text()) == ("failed", "mine")
    assert "does not belong there" in outcome.reason


def read_index(publisher: Publisher) -> Index:
    raw = (publisher.channel / "index.json").read_bytes()
    return sealed.unseal(raw, keys.private_key(publisher.private).public_key(), "")


def put_index(publisher: Publisher, index: Index, private: Path | None = None) -> None:
    made = sealed.seal(index, keys.private_key(private or publisher.private))
    (publisher.channel / "index.json").write_bytes(made)


def refused(publisher: Publisher, message: str) -> None:
    (outcome,) = update(NAME)
    assert (outcome.action, outcome.pack) == ("failed", publisher.sha("1"))
    assert message in outcome.reason
    assert in_use() == publisher.sha("1")


def test_an_index_of_another_key_is_refused(publisher: Publisher, home: Path) -> None:
    first(publisher, str(publisher.channel))
    other, other_public = channel_packs.write_keys(publisher.channel.parent, "other")
    put_index(publisher, read_index(publisher), other)
    refused(publisher, "is not signed by the key of this channel")
    (outcome,) = update(NAME, channel=str(publisher.channel), key=other_public)
    assert "is not the key that was pinned" in outcome.reason


def test_a_channel_added_with_the_wrong_key_is_not_remembered(
    publisher: Publisher, home: Path
) -> None:
    publisher.publish("1")
    _, other_public = channel_packs.write_keys(publisher.channel.parent, "other")
    (outcome,) = update(NAME, channel=str(publisher.channel), key=other_public)
    assert (outcome.action, outcome.pack) == ("failed", None)
    assert channels.remembered(home / "fleet") == []


def test_an_old_index_replayed_is_refused(publisher: Publisher, home: Path) -> None:
    publisher.publish("3")
    old = (publisher.channel / "index.json").read_bytes()
    publisher.publish("1")
    update(NAME, channel=str(publisher.channel), key=publisher.public)
    (publisher.channel / "index.json").write_bytes(old)
    refused(publisher, "an old one is being replayed")


def test_two_indexes_of_one_number_are_refused(publisher: Publisher, home: Path) -> None:
    first(publisher, str(publisher.channel))
    seen = read_index(publisher)
    put_index(publisher, msgspec.structs.replace(seen, version=seen.version - 1))
    refused(publisher, "shows another index")


def test_the_index_of_another_channel_of_the_same_key_is_refused(
    publisher: Publisher, home: Path
) -> None:
    first(publisher, str(publisher.channel))
    put_index(publisher, msgspec.structs.replace(read_index(publisher), channel="0" * 32))
    refused(publisher, "the index of another channel")


def test_an_expired_index_is_refused_even_when_the_clock_is_turned_back(
    publisher: Publisher, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first(publisher, str(publisher.channel))
    now = time.time()
    index = read_index(publisher)
    put_index(publisher, msgspec.structs.replace(index, expires=int(now) + 1000))
    monkeypatch.setattr(time, "time", lambda: now + 2000)
    refused(publisher, "expired on")
    # An index that was believed at a later time says how late it is.
    put_index(publisher, msgspec.structs.replace(index, version=100, expires=int(now) + 90_000))
    put_index(
        publisher,
        msgspec.structs.replace(
            index, version=100, models={NAME: index.models[NAME][1:]}, expires=int(now) + 90_000
        ),
    )
    assert update(NAME)[0].action == "current"
    monkeypatch.setattr(time, "time", lambda: now - 500_000)
    put_index(publisher, msgspec.structs.replace(index, version=101, expires=int(now) + 1000))
    refused(publisher, "expired on")


def test_an_index_from_the_future_is_refused(publisher: Publisher, home: Path) -> None:
    first(publisher, str(publisher.channel))
    index = read_index(publisher)
    put_index(publisher, msgspec.structs.replace(index, made=index.made + 10**6))
    refused(publisher, "set its clock")


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "no json": b"\xff\xfe",
    "a list": b"[1]",
    "deep": b"[" * 100_000,
    "no signature": b'{"format":1,"index":"{}"}',
    "bad base64": b'{"format":1,"index":"{}","signature":"*"}',
    "empty signature": b'{"format":1,"index":"{}","signature":""}',
    "lone surrogate": b'{"format":1,"index":"\\ud800","signature":""}',
    "huge": b" " * (5 << 20),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_index_is_refused(publisher: Publisher, home: Path, case: str) -> None:
    first(publisher, str(publisher.channel))
    (publisher.channel / "index.json").write_bytes(BROKEN[case])
    refused(publisher, "")


def recipe(change: Callable[[dict[str, Any]], None]) -> Callable[[Publisher], None]:
    """A publisher, with the right key, whose newest recipe was changed."""

    def apply(publisher: Publisher) -> None:
        import hashlib

        index = read_index(publisher)
        newest, *others = index.models[NAME]
        words = msgspec.json.decode(
            (publisher.channel / f"recipes/{newest.recipe}.json").read_bytes()
        )
        change(words)
        raw = msgspec.json.encode(words)
        sha = hashlib.sha256(raw).hexdigest()
        (publisher.channel / f"recipes/{sha}.json").write_bytes(raw)
        changed = msgspec.structs.replace(newest, recipe=sha, recipe_size=len(raw))
        put_index(
            publisher,
            msgspec.structs.replace(
                index, version=index.version + 1, models={NAME: [changed, *others]}
            ),
        )

    return apply


def name_outside(words: dict[str, Any]) -> None:
    words["files"][0]["name"] = "../../escaped"


def same_name(words: dict[str, Any]) -> None:
    words["files"][1]["name"] = words["files"][2]["name"].upper()


def other_sizes(words: dict[str, Any]) -> None:
    words["files"][0]["size"] += 1


def huge_piece(words: dict[str, Any]) -> None:
    words["files"][0]["pieces"][0][1] = 1 << 40


def no_manifest(words: dict[str, Any]) -> None:
    del words["files"][0]


def one_more_file(words: dict[str, Any]) -> None:
    words["files"].append({"name": "more", "size": 0, "sha256": "0" * 64, "pieces": []})


def swapped_pieces(words: dict[str, Any]) -> None:
    one, two = [f for f in words["files"] if f["name"] in ("tokenizer.json", "card.md")]
    one["pieces"], two["pieces"] = two["pieces"], one["pieces"]
    one["size"], two["size"] = two["size"], one["size"]


@pytest.mark.parametrize(
    "change",
    [name_outside, same_name, other_sizes, huge_piece, no_manifest, swapped_pieces],
    ids=lambda f: f.__name__,
)
def test_a_wrong_recipe_is_refused_though_it_is_signed(
    publisher: Publisher, home: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    first(publisher, str(publisher.channel))
    recipe(change)(publisher)
    refused(publisher, "")
    assert not (home.parent / "escaped").exists()


def test_a_full_disk_is_seen_before_anything_is_fetched(
    publisher: Publisher, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.asked.clear()
        usage = shutil.disk_usage(home)._replace(free=1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        refused(publisher, "where 1 MB are free")
        assert server.pieces() == 0


@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_disk_that_becomes_full_keeps_the_version_in_use(
    publisher: Publisher, home: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    first(publisher, str(publisher.channel))
    fsync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        (outcome,) = update(NAME)
    assert (outcome.action, outcome.pack) == ("failed", publisher.sha("1"))
    assert "the disk is full" in outcome.reason
    assert in_use() == publisher.sha("1")
    assert update(NAME)[0].action == "updated"


def test_a_pack_of_another_name_is_refused(
    publisher: Publisher, home: Path, tmp_path: Path
) -> None:
    first(publisher, str(publisher.channel))
    index = read_index(publisher)
    models = {"other": index.models[NAME]}
    put_index(publisher, msgspec.structs.replace(index, version=index.version + 1, models=models))
    (outcome,) = update("other", channel=str(publisher.channel))
    assert outcome.action == "failed"
    assert "what the channel calls 'other' is the pack 'tiny'" in outcome.reason


def test_a_server_that_says_nothing_is_left(
    publisher: Publisher, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_SILENCE", 0.2)
    release = threading.Event()
    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.fault = lambda r: release.wait(30) and False
        (outcome,) = update(NAME)
        release.set()
    assert (outcome.action, "timed out" in outcome.reason) == ("offline", True)


def test_a_server_that_drips_is_left(
    publisher: Publisher, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_WHOLE", 0.4)
    done = threading.Event()

    def drip(request: Request) -> bool:
        request.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not done.wait(0.05):
            try:
                request.handler.wfile.write(b"x")
            except OSError:
                break
        request.handler.close_connection = True
        return True

    with channel_server.serving(publisher.channel) as server:
        first(publisher, server.url)
        server.fault = drip
        began = time.monotonic()
        (outcome,) = update(NAME)
        assert time.monotonic() - began < 20
        done.set()
    assert outcome.action == "offline"


def test_redirects_within_http_are_followed(publisher: Publisher, home: Path) -> None:
    publisher.publish("1")
    with channel_server.serving(publisher.channel) as mirror:

        def elsewhere(request: Request) -> bool:
            request.send(302, b"", Location=f"{mirror.url}/{request.path}")
            return True

        with channel_server.serving(publisher.channel, elsewhere) as server:
            (outcome,) = update(NAME, channel=server.url, key=publisher.public)
    assert outcome.action == "updated"


def test_a_redirect_from_https_to_http_is_refused() -> None:
    from urllib.parse import urlsplit

    with pytest.raises(ChannelError, match="from https to http"):
        transport._redirected(urlsplit("https://a.example/x"), "http://a.example/x")


def test_an_inserted_header_in_an_address_is_refused() -> None:
    with pytest.raises(OptionError, match="channel="):
        transport.source("http://a.example/x\r\nHost: b")


def test_the_publisher_refuses_the_channel_of_another_key(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish("1")
    other, _ = channel_packs.write_keys(tmp_path, "other")
    with pytest.raises(ChannelError, match="is not signed by the key"):
        publish(publisher.packs["2"], publisher.channel, other)


def test_the_publisher_mends_a_damaged_piece_and_prunes_what_is_old(publisher: Publisher) -> None:
    publisher.publish("1")
    one = next(p for p in publisher.channel.glob("pieces/*/*") if p.stat().st_size > 10)
    one.write_bytes(b"damaged")
    assert publisher.publish("1").new_bytes > 0
    assert piece_path(one.name) == one.relative_to(publisher.channel).as_posix()
    publisher.publish("3")
    assert publisher.publish("2", prune=True).pruned_bytes > 0
    left = {path.name for path in publisher.channel.glob("pieces/*/*")}
    assert left == pieces_of(publisher, "2") | pieces_of(publisher, "3")


@pytest.mark.parametrize("bad", [-1, 10_001])
def test_a_rollout_out_of_range_is_refused(publisher: Publisher, bad: int) -> None:
    with pytest.raises(OptionError, match=f"rollout={bad}"):
        publisher.publish("1", rollout=bad)


def test_outcomes_are_told_as_good_or_bad() -> None:
    assert Outcome("a", "offline", "0" * 64).ok
    assert not Outcome("a", "offline").ok
    assert assemble.Tally().fetched == 0
