"""Which kind of source a text means."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeward.errors import SourceError
from edgeward.quantize.sources import resolve
from edgeward.quantize.sources.hub import HubSource
from edgeward.quantize.sources.path import PathSource
from edgeward.quantize.sources.wheel import WheelSource


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_catalog_name_wins_over_a_folder_of_that_name(here: Path) -> None:
    (here / "smollm2-135m").mkdir()
    assert isinstance(resolve("smollm2-135m"), WheelSource)
    assert isinstance(resolve("./smollm2-135m"), PathSource)


def test_a_path_wins_over_a_hub_id(here: Path) -> None:
    assert isinstance(resolve("org/model"), HubSource)
    (here / "org" / "model").mkdir(parents=True)
    assert isinstance(resolve("org/model"), PathSource)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/model", HubSource("org/model")),
        ("org/model:a.gguf", HubSource("org/model", None, "a.gguf")),
        ("org/model:sub/a.gguf", HubSource("org/model", None, "sub/a.gguf")),
        ("org/model@v1.0", HubSource("org/model", "v1.0")),
        ("org/model@v1.0:a.gguf", HubSource("org/model", "v1.0", "a.gguf")),
    ],
)
def test_hub_ids_may_name_a_revision_and_a_file(text: str, expected: HubSource) -> None:
    assert resolve(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nonsense",
        "a/b/c",
        "org/",
        "org/..",
        "org/mo del",
        "https://host/x",
        "-/x",
        "a\n/b",
        "a\0",
        "x" * 9999,
    ],
)
def test_other_texts_are_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(SourceError):
        resolve(text)


def test_a_refusal_names_the_catalog() -> None:
    with pytest.raises(SourceError, match=r"catalog name \(smollm2-135m"):
        resolve("smollm3")
