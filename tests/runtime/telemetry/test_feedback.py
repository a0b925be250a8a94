"""Opinions are kept here, without text unless somebody agreed, and for no longer than was said."""

from __future__ import annotations

import datetime
import sqlite3
from pathlib import Path

import pytest

import edgeward
from edgeward.errors import KeepError, OptionError
from edgeward.telemetry import feedback as module
from edgeward.telemetry.feedback import Entry, Feedback, evaluation_set, preference_pairs

SECRET = "my grandmother is called Ada"


def entry(receipt: str, score: int, prompt: str | None = None, answer: str | None = None) -> Entry:
    return Entry(receipt, "0" * 64, score, {"met": True}, None, prompt, answer)


def test_without_consent_no_text_reaches_the_disk(service: edgeward.Service) -> None:
    reply = service.chat(SECRET, max_tokens=5)
    service.feedback(reply.receipt.id, 1)
    kept = service._opinions.feedback
    found = next(e for e in kept.entries() if e.receipt == reply.receipt.id)
    assert (found.score, found.prompt, found.answer, found.comment) == (1, None, None, None)
    assert found.facts["finish_reason"] == reply.finish_reason
    for path in kept.path.parent.glob("feedback*"):
        assert b"grandmother" not in path.read_bytes()
    with pytest.raises(OptionError, match="keep_text"):
        service.feedback(reply.receipt.id, 1, "thanks")


def test_with_consent_a_complaint_can_be_replayed(tiny_pack: Path, tmp_path: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1, keep_text=True) as service:
        service._opinions.feedback = kept = Feedback(tmp_path / "f.db")
        reply = service.generate(SECRET, max_tokens=6, temperature=1.3)
        service.feedback(reply.receipt.id, -1, "nonsense")
        (found,) = kept.entries()
        assert (found.prompt, found.answer, found.comment) == (SECRET, reply.text, "nonsense")
        again = service.model.generate(found.prompt or "", **found.facts["sampling"])
        assert again.text == found.answer
    assert (tmp_path / "f.db").stat().st_mode & 0o077 == 0


def test_personal_data_is_replaced_before_it_is_kept(tiny_pack: Path, tmp_path: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1, keep_text=True) as service:
        service._opinions.feedback = kept = Feedback(tmp_path / "f.db")
        messages = [{"role": "user", "content": "write to ada.lovelace@example.org please"}]
        reply = service.chat(messages, max_tokens=3)
        service.feedback(reply.receipt.id, 1, "my mail is ada.lovelace@example.org")
        (found,) = kept.entries()
    assert "please" in (found.prompt or "")
    assert "my mail is" in (found.comment or "")
    assert b"lovelace" not in (tmp_path / "f.db").read_bytes()


def test_a_second_opinion_takes_the_place_of_the_first(tmp_path: Path) -> None:
    kept = Feedback(tmp_path / "f.db")
    kept.add(entry("a", 1))
    kept.add(entry("a", -1))
    assert [e.score for e in kept.entries()] == [-1]


def test_opinions_go_after_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Feedback(tmp_path / "f.db", retention_days=10)
    kept.add(entry("old", 1))

    class Later(datetime.date):
        @classmethod
        def today(cls) -> datetime.date:
            return datetime.date(2999, 1, 1)

    monkeypatch.setattr(module.datetime, "date", Later)
    kept.add(entry("new", 1))
    assert [e.receipt for e in kept.entries()] == ["new"]


def test_erasing_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    kept = Feedback(tmp_path / "f.db")
    kept.add(entry("a", 1, SECRET, "yes"))
    kept.add(entry("b", 1, "other", "no"))
    assert kept.erase("a") == 1
    assert b"grandmother" not in (tmp_path / "f.db").read_bytes()
    assert kept.erase() == 1
    assert kept.entries() == []
    assert Feedback(tmp_path / "none.db").erase() == 0
    assert not (tmp_path / "none.db").exists()


def test_exports_are_what_was_kept() -> None:
    entries = [
        entry("a", 1, "p", "good"),
        entry("b", -1, "p", "bad"),
        entry("c", 0, "p", "so so"),
        entry("d", -1, "q", "alone"),
        entry("e", 1),
    ]
    rows = list(evaluation_set(entries))
    assert [row["answer"] for row in rows] == ["good", "bad", "so so", "alone"]
    assert list(preference_pairs(entries)) == [{"prompt": "p", "chosen": "good", "rejected": "bad"}]


@pytest.mark.parametrize("score", [2, -2, 0.5, True, "1"])
def test_wrong_scores_are_refused(service: edgeward.Service, score: int) -> None:
    with pytest.raises(OptionError, match="score"):
        service.feedback("x", score)


def test_unknown_receipts_are_refused(service: edgeward.Service) -> None:
    with pytest.raises(OptionError, match="no answer"):
        service.feedback("x", 1)


def test_a_full_disk_is_told_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Feedback(tmp_path / "f.db")
    kept.add(entry("a", 1))
    connect = sqlite3.connect

    def small(*args: object, **more: object) -> sqlite3.Connection:
        database = connect(*args, **more)  # type: ignore[call-overload]
        database.execute("PRAGMA max_page_count = 1")
        return database  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(KeepError, match="full"):
        kept.add(entry("b", 1, "x" * 100_000, "y"))
    monkeypatch.setattr(sqlite3, "connect", connect)
    assert [e.receipt for e in kept.entries()] == ["a"]


def test_a_damaged_file_and_a_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "f.db").write_bytes(b"no database" * 100)
    (tmp_path / "d.db").mkdir()
    for name in ("f.db", "d.db"):
        with pytest.raises(KeepError, match="feedback cannot be kept"):
            Feedback(tmp_path / name).add(entry("a", 1))
