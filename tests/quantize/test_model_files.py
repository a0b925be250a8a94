"""What a model's own files say about its licence."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeward.quantize.model_files import licence_of


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n# Model\nlicense: x\n", "mit"),
        ("---\nlicense: 'llama3.2'\n---\n", "llama3.2"),
        ("---\nlicense:\n- mit\n---\n", "unknown"),
        ("---\ntitle: x\n---\nlicense: mit", "unknown"),
        ("license: mit", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_folders_licence_is_its_cards(tmp_path: Path, card: str, licence: str) -> None:
    (tmp_path / "README.md").write_text(card)
    assert licence_of(tmp_path, {}) == licence


def test_a_folder_without_a_card_has_an_unknown_licence(tmp_path: Path) -> None:
    assert licence_of(tmp_path, {}) == "unknown"


@pytest.mark.parametrize(
    ("stated", "licence"), [("apache-2.0", "apache-2.0"), ("", "unknown"), (7, "unknown")]
)
def test_a_gguf_files_licence_is_in_its_header(
    tmp_path: Path, stated: object, licence: str
) -> None:
    (tmp_path / "model.gguf").touch()
    assert licence_of(tmp_path / "model.gguf", {"general.license": stated}) == licence
