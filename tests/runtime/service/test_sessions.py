"""Conversations go on where they were, in memory and from disk; other files are refused."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import edgeward
from edgeward.errors import OptionError, SessionError
from edgeward.manifest import decode, encode
from edgeward.pack import MANIFEST
from edgeward.service import session_file
from edgeward.service.sessions import MOST, Sessions

SAMPLING = {"max_tokens": 8, "seed": 3, "ignore_eos": True}


@pytest.fixture
def own(tiny_pack: Path) -> edgeward.Service:
    return edgeward.serve(tiny_pack, threads=1)


def test_a_session_remembers_what_was_said(own: edgeward.Service) -> None:
    first = own.chat("hello", session="ada", **SAMPLING)
    second = own.chat("and then", session="ada", **SAMPLING)
    said = own.messages("ada")
    assert [m["role"] for m in said] == ["user", "assistant", "user", "assistant"]
    assert [said[1]["content"], said[3]["content"]] == [first.text, second.text]
    assert second.token_ids == own.model.chat(said[:3], **SAMPLING).token_ids
    assert second.usage.cached_tokens > 0


def test_sessions_do_not_mix(own: edgeward.Service) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    own.chat("goodbye", session="bob", **SAMPLING)
    assert own.messages("bob")[0]["content"] == "goodbye"
    assert own.sessions() == ["ada", "bob"]
    assert own.forget("ada")
    assert own.messages("ada") == []
    assert not own.forget("nobody")


def test_a_failed_request_leaves_no_trace(own: edgeward.Service) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    with pytest.raises(OptionError):
        own.chat("more", session="ada", temperature=-1)
    assert len(own.messages("ada")) == 2
    own.chat("more", session="ada", **SAMPLING)


def test_one_question_at_a_time(own: edgeward.Service) -> None:
    stream = own.chat("hello", session="ada", stream=True, **SAMPLING)
    with pytest.raises(OptionError, match="answering another message"):
        own.chat("more", session="ada", **SAMPLING)
    stream.close()
    own.chat("more", session="ada", **SAMPLING)


def test_what_is_returned_is_a_copy(own: edgeward.Service) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    own.messages("ada")[0]["content"] = "something else"
    assert own.messages("ada")[0]["content"] == "hello"


@pytest.mark.parametrize("name", ["", "../ada", "a/b", "a\0", "x" * 200, 7])
def test_names_are_plain(own: edgeward.Service, name: str) -> None:
    with pytest.raises(OptionError, match="letters, digits"):
        own.chat("hello", session=name)


def test_sessions_are_bounded_and_none_is_dropped() -> None:
    sessions = Sessions()
    for i in range(MOST):
        sessions.get(f"s{i}")
    with pytest.raises(OptionError, match="forget"):
        sessions.get("one-more")
    assert sessions.names()[0] == "s0"


def test_a_saved_session_goes_on_with_the_same_tokens_and_nothing_computed_twice(
    own: edgeward.Service, tiny_pack: Path, tmp_path: Path
) -> None:
    own.chat("hello hello hello hello hello", session="ada", **SAMPLING)
    own.save("ada", tmp_path / "ada.session")
    here = own.chat("and then", session="ada", **SAMPLING)
    with edgeward.serve(tiny_pack, threads=1) as other:
        assert other.restore(tmp_path / "ada.session") == "ada"
        there = other.chat("and then", session="ada", **SAMPLING)
    assert there.token_ids == here.token_ids
    assert there.usage.cached_tokens > 10
    assert (tmp_path / "ada.session").stat().st_mode & 0o077 == 0


def test_a_session_can_be_restored_under_another_name(
    own: edgeward.Service, tmp_path: Path
) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    own.save("ada", tmp_path / "file")
    with pytest.raises(OptionError, match="already"):
        own.restore(tmp_path / "file")
    assert own.restore(tmp_path / "file", "eve") == "eve"
    assert own.messages("eve") == own.messages("ada")
    with pytest.raises(OptionError, match="cannot name"):
        own.restore(tmp_path / "file", "../eve")
    with pytest.raises(OptionError, match="no session 'nobody'"):
        own.save("nobody", tmp_path / "other")


def test_a_session_of_another_pack_is_refused(
    own: edgeward.Service, tiny_pack: Path, tmp_path: Path
) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    own.save("ada", tmp_path / "file")
    other = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    manifest = decode((other / MANIFEST).read_bytes())
    (other / MANIFEST).write_bytes(
        encode(type(manifest)(**{**_fields(manifest), "licence": "other"}))
    )
    with (
        edgeward.serve(other, threads=1) as service,
        pytest.raises(SessionError, match="serve that pack"),
    ):
        service.restore(tmp_path / "file")


def _fields(manifest: object) -> dict[str, object]:
    return {name: getattr(manifest, name) for name in manifest.__struct_fields__}  # type: ignore[attr-defined]


def test_keys_of_another_version_are_computed_anew(
    own: edgeward.Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.chat("hello hello hello hello", session="ada", **SAMPLING)
    own.save("ada", tmp_path / "file")
    header, keys = session_file.read(tmp_path / "file")
    older = type(header.binding)(
        **{**_fields(header.binding), "onnxruntime": "1.0"}  # type: ignore[arg-type]
    )
    session_file.write(
        tmp_path / "old", "old", older, header.messages, header.ids, np.zeros_like(keys)
    )
    own.restore(tmp_path / "old")
    assert (
        own.chat("x", session="old", **SAMPLING).token_ids
        == own.chat("x", session="ada", **SAMPLING).token_ids
    )


@pytest.mark.parametrize("where", [0, 5, 20, 25, 40, -1, -40])
def test_every_changed_byte_is_noticed(own: edgeward.Service, tmp_path: Path, where: int) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    path = tmp_path / "file"
    own.save("ada", path)
    raw = bytearray(path.read_bytes())
    raw[where] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SessionError):
        own.restore(path, "eve")
    assert own.sessions() == ["ada"]


@pytest.mark.parametrize("size", [0, 10, 19, 27, 100, 500])
def test_a_cut_file_is_refused(own: edgeward.Service, tmp_path: Path, size: int) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    path = tmp_path / "file"
    own.save("ada", path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SessionError):
        own.restore(path, "eve")


def test_a_missing_file_and_a_folder_are_refused(own: edgeward.Service, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(SessionError, match="cannot be read"):
            own.restore(path)


def test_a_full_disk_leaves_the_old_file_as_it_was(
    own: edgeward.Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.chat("hello", session="ada", **SAMPLING)
    path = tmp_path / "file"
    own.save("ada", path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SessionError, match="No space left"):
        own.save("ada", path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
