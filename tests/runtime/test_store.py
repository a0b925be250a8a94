"""Where packs are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeward import store
from edgeward.errors import PackError


def test_the_variable_decides_at_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "one"))
    assert store.home() == tmp_path / "one"
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "two"))
    assert store.packs_folder() == tmp_path / "two" / "packs"


def test_without_the_variable_it_is_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEWARD_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.home() == tmp_path / "edgeward"


def test_an_empty_store_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "absent"))
    assert store.pack_names() == []
    with pytest.raises(PackError, match=r"it is empty.*edgeward pull a"):
        store.find("a")


def test_only_whole_packs_with_safe_names_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path))
    for name in ("b", "a", ".hidden", "bad name"):
        (tmp_path / "packs" / name).mkdir(parents=True)
        (tmp_path / "packs" / name / "manifest.json").touch()
    (tmp_path / "packs" / "half").mkdir()
    (tmp_path / "packs" / "file").touch()
    assert store.pack_names() == ["a", "b"]
