"""`edgeward privacy` knows all that is kept, and erases what it is told to, no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeward.cli.privacy import data_map, privacy
from edgeward.errors import KeepError, OptionError
from edgeward.telemetry.audit import AuditLog
from edgeward.telemetry.feedback import Entry, Feedback


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path))
    Feedback().add(Entry("a", "0" * 64, 1, {}, None, "secret", "answer"))
    AuditLog().add("event")
    (tmp_path / "packs" / "one").mkdir(parents=True)
    (tmp_path / "packs" / "one" / "model.data").write_bytes(b"x" * 100)
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], **arguments: object) -> dict[str, object]:
    privacy(as_json=True, **arguments)  # type: ignore[arg-type]
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_it_lists_everything_in_the_store(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = {row["name"]: row["bytes"] for row in listed(capsys)["kept"]}  # type: ignore[attr-defined]
    assert kept["packs"] == 100
    assert kept["feedback"] > 0
    assert kept["keys"] is None
    assert {p.name for p in home.iterdir()} <= {entry.path.name for entry in data_map()}


def test_it_erases_what_was_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, erase=["feedback", "keys", "feedback"])["erased"] == ["feedback"]
    assert not (home / "feedback.db").exists()
    assert (home / "audit.jsonl").exists()
    assert (home / "packs" / "one" / "model.data").exists()


@pytest.mark.parametrize("name", ["packs", "..", "everything"])
def test_it_erases_nothing_else(home: Path, name: str) -> None:
    with pytest.raises(OptionError, match="what can be erased"):
        privacy(erase=["feedback", name])
    assert (home / "feedback.db").exists()


def test_it_checks_the_audit_log(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, verify=True)["audit"]["lines"] == 1  # type: ignore[index]
    path = home / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"event", b"other", 2))
    with pytest.raises(KeepError, match="line 1"):
        privacy(verify=True)
    assert "0 lines are whole" in capsys.readouterr().out
