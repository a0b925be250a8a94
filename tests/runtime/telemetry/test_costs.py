"""Sums of cost outlive the process; a file that cannot be written costs no answer."""

from __future__ import annotations

import datetime
import threading
from pathlib import Path

import pytest

import edgeward
from edgeward.errors import KeepError
from edgeward.telemetry.costs import CostBook

TODAY = datetime.date.today().isoformat()


def test_sums_are_there_after_another_start_and_over_all_packs(tmp_path: Path) -> None:
    first = CostBook(tmp_path / "deep" / "costs.db")
    assert first.days() == {}
    first.add("a", 10, 100.0, 2.0, 0.5)
    first.add("a", 5, 50.0, 1.0, 0.25)
    again = CostBook(first.path)  # the first is not closed: as after a kill
    again.add("b", 1, 1.0, 1.0, 1.0)
    assert again.days()[TODAY] == {
        "requests": 3,
        "tokens": 16,
        "busy_ms": 151.0,
        "joules": 4.0,
        "cost": 1.75,
    }
    assert first.path.stat().st_mode & 0o077 == 0


def test_many_threads_of_many_books_lose_nothing(tmp_path: Path) -> None:
    books = [CostBook(tmp_path / "costs.db") for _ in range(3)]
    threads = [
        threading.Thread(target=lambda b=book: [b.add("p", 1, 1.0, 1.0, 1.0) for _ in range(40)])
        for book in books * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books[0].days()[TODAY]["requests"] == 240


def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    path = tmp_path / "costs.db"
    path.write_text("these are not the sums you are looking for" * 100)
    with pytest.raises(KeepError, match=r"costs\.db cannot be written: file is not a database"):
        CostBook(path).add("p", 1, 1.0, 1.0, 1.0)


def test_a_service_goes_on_where_the_days_left_off(service: edgeward.Service) -> None:
    service.generate("hello", max_tokens=3, seed=1, ignore_eos=True)
    days = service.stats()["cost"]["days"]
    service.generate("hello", max_tokens=4, seed=1, ignore_eos=True)
    with edgeward.serve(service.model) as later:
        later.generate("hello", max_tokens=2, seed=1, ignore_eos=True)
        after = later.stats()["cost"]
    assert after["days"][TODAY]["tokens"] == days[TODAY]["tokens"] + 6
    assert after["all"]["tokens"] == 2
    assert after["not_kept"] is None


def test_an_answer_is_not_lost_for_its_sum(service: edgeward.Service, store: Path) -> None:
    book = store / "costs.db"
    service.core.ledger.close()
    for path in store.glob("costs.db*"):
        path.unlink()
    book.write_text("no database " * 1000)
    assert service.generate("hello", max_tokens=3, seed=1).finish_reason in ("length", "stop")
    stats = service.stats()["cost"]
    assert "not a database" in stats["not_kept"]
    assert stats["days"][TODAY]["requests"] == 1
    book.unlink()
    service.generate("hello", max_tokens=3, seed=1)
    assert service.stats()["cost"]["not_kept"] is None
