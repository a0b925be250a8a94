"""Models on this machine: used where they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edgeward.errors import SourceError
from edgeward.quantize.progress import silent
from edgeward.quantize.sources import path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Some Model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "README.md").write_text("# Model")
    return made


def test_a_file_is_used_in_place_with_its_own_hash(tiny: Path, tmp_path: Path) -> None:
    got = path.of(tiny).fetch(tmp_path / "nowhere", tmp_path / "nowhere", silent)
    assert got.model == tiny
    assert got.source.sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert (got.source.kind, got.source.format, got.licence) == ("path", "gguf", None)


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
    assert got.source.format == "safetensors"


def test_a_folders_hash_ignores_files_that_do_not_matter(folder: Path) -> None:
    before = path.of(folder).sha256
    (folder / "notes.txt").write_text("new")
    assert path.of(folder).sha256 == before
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert path.of(folder).sha256 != before


@pytest.mark.parametrize("text", ["./absent", "/absent", "absent.gguf", "~/absent", "absent/"])
def test_a_text_written_as_a_path_must_exist(text: str) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        path.claim(text)


@pytest.mark.parametrize("text", ["absent", "org/model", "org/model:file.gguf"])
def test_other_texts_are_left_to_other_kinds(text: str) -> None:
    assert path.claim(text) is None
