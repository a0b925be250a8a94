"""Models on this machine: used where they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edgeward.errors import IntakeError, SourceError
from edgeward.quantize.progress import silent
from edgeward.quantize.sources import path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Some Model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# Model\nlicense: x\n")
    return made


def test_a_file_is_used_in_place_with_its_own_hash(tiny: Path, tmp_path: Path) -> None:
    got = path.of(tiny).fetch(tmp_path / "nowhere", tmp_path / "nowhere", silent)
    assert got.model == tiny
    assert got.source.sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert (got.source.kind, got.source.format, got.licence) == ("path", "gguf", "apache-2.0")


def test_a_pack_does_not_tell_the_folder_its_model_was_in(tiny: Path, tmp_path: Path) -> None:
    got = path.of(tiny).fetch(tmp_path, tmp_path, silent)
    assert got.source.reference == "tiny.gguf"


def test_a_folders_hash_is_that_of_its_listing(folder: Path, tmp_path: Path) -> None:
    listing = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("config.json", "model.safetensors")
    )
    got = path.of(folder).fetch(tmp_path, tmp_path, silent)
    assert got.source.sha256 == hashlib.sha256(listing.encode()).hexdigest()
    assert (got.source.format, got.licence) == ("safetensors", "mit")


def test_a_folders_hash_ignores_files_that_do_not_matter(folder: Path) -> None:
    before = path.of(folder).sha256
    (folder / "notes.txt").write_text("new")
    assert path.of(folder).sha256 == before
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert path.of(folder).sha256 != before


@pytest.mark.parametrize("card", [None, "", "no front matter", "---\ntitle: x\n---\nlicense: mit"])
def test_a_folder_without_a_stated_licence_has_an_unknown_one(
    folder: Path, tmp_path: Path, card: str | None
) -> None:
    (folder / "README.md").unlink()
    if card is not None:
        (folder / "README.md").write_text(card)
    assert path.of(folder).fetch(tmp_path, tmp_path, silent).licence == "unknown"


@pytest.mark.parametrize("text", ["./absent", "/absent", "absent.gguf", "~/absent", "absent/"])
def test_a_text_written_as_a_path_must_exist(text: str) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        path.claim(text)


@pytest.mark.parametrize("text", ["absent", "org/model", "org/model:file.gguf"])
def test_other_texts_are_left_to_other_kinds(text: str) -> None:
    assert path.claim(text) is None


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"PK\3\4 something else")
    with pytest.raises(IntakeError, match="not a GGUF file"):
        path.of(tmp_path / "x.gguf").fetch(tmp_path, tmp_path, silent)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").touch()
    with pytest.raises(IntakeError, match="is empty"):
        path.of(tmp_path / "x.gguf").fetch(tmp_path, tmp_path, silent)
