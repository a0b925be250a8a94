"""Beyond loopback nobody asks without a key, and keys are never kept as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from http_server import serving

import edgeward
from edgeward.errors import OptionError
from edgeward.server.keys import Keys, add
from edgeward.server.listen import is_loopback, make_server


def test_a_key_is_kept_as_its_hash_in_a_file_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "keys"
    key, other = add("ada", path), add("bob", path)
    assert key != other
    assert key not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    keys = Keys.read(path)
    assert keys.owner(f"Bearer {key}") == "ada"
    assert keys.owner(f"bearer {other}") == "bob"
    for wrong in ("", key, f"Basic {key}", f"Bearer {key}x", "Bearer ", "Bearer \udcff"):
        assert keys.owner(wrong) is None
    with pytest.raises(OptionError, match="already"):
        add("ada", path)
    with pytest.raises(OptionError, match="cannot name"):
        add("a b", path)


def test_a_damaged_file_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# comment\n\nada secret\n")
    with pytest.raises(OptionError, match="line 3"):
        Keys.read(path)


def test_an_open_address_needs_keys(service: edgeward.Service, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--new-key"):
        make_server(service, "0.0.0.0", 0, keys=tmp_path / "none", hosts=None, rate=None, grace=1)


def test_with_keys_every_path_but_health_asks_for_one(
    service: edgeward.Service, tmp_path: Path
) -> None:
    key = add("ada", tmp_path / "keys")
    with serving(service, host="0.0.0.0", keys=tmp_path / "keys") as server:
        status, headers, body = server.ask("GET", "/v1/models")
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert b"invalid_api_key" in body
        assert server.ask("GET", "/v1/models", authorization="Bearer ew-wrong")[0] == 401
        assert server.ask("POST", "/v1/chat/completions", b"{}")[0] == 401
        assert server.ask("GET", "/v1/models", authorization=f"Bearer {key}")[0] == 200
        assert server.ask("GET", "/health")[0] == server.ask("GET", "/ready")[0] == 200


def test_sessions_of_one_key_are_no_others(service: edgeward.Service, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = [add("ada", path), add("bob", path)]
    asked = {
        "model": service.model.info.name,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 2,
        "edgeward": {"session": "mine"},
    }
    with serving(service, keys=path) as server:
        for key in keys:
            status, _ = server.post("/v1/chat/completions", asked, authorization=f"Bearer {key}")
            assert status == 200
    assert len(service.messages("ada.mine")) == len(service.messages("bob.mine")) == 2
    assert service.messages("mine") == []


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("192.168.0.1", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_what_only_this_machine_can_reach(host: str, local: bool) -> None:
    assert is_loopback(host) is local
