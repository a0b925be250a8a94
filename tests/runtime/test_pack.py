"""A pack is opened only when every byte is what its manifest says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgeward import manifest as m
from edgeward.errors import PackError
from edgeward.pack import MANIFEST, Pack, file_entry

FILES = {"model.data": b"\x01" * 5000, "tokenizer.json": b"{}", "portable.onnx": b"\x08\x07"}


def manifest_of(folder: Path) -> m.Manifest:
    return m.Manifest(
        format=1,
        name="tiny",
        licence="Apache-2.0",
        created_with={"edgeward": "0"},
        source=m.Source(kind="path", reference="x", file="x.gguf", format="gguf", sha256="0" * 64),
        architecture=m.Architecture(
            family="llama",
            layers=1,
            hidden=8,
            intermediate=16,
            heads=2,
            kv_heads=1,
            head_dim=4,
            vocabulary=10,
            context=32,
            rope_theta=1e4,
            norm_epsilon=1e-5,
            tied_head=True,
        ),
        graphs=[m.Graph(file="portable.onnx", kind="portable")],
        quantization=[],
        generation=m.Generation(stop_ids=[0]),
        evaluation=None,
        files={name: file_entry(folder / name) for name in FILES},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / MANIFEST).write_bytes(m.encode(manifest_of(tmp_path)))
    return tmp_path


def rewrite(folder: Path, **changes: Any) -> None:
    stated = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps({**stated, **changes}))


def test_a_whole_pack_opens_and_says_what_it_is(folder: Path) -> None:
    pack = Pack.open(folder)
    assert pack.manifest == manifest_of(folder)
    assert pack.path("model.data") == folder / "model.data"
    assert len(pack.sha256) == 64


@pytest.mark.parametrize("name", FILES)
def test_one_changed_bit_is_found(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(PackError, match=f"{name} has sha256"):
        Pack.open(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_found_without_reading_it(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1])
    with pytest.raises(PackError, match=f"{name} has {len(data) - 1} bytes"):
        Pack.open(folder, check_hashes=False)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(PackError, match=f"{name} is missing"):
        Pack.open(folder)


def test_a_link_is_refused_even_to_the_right_bytes(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "model.data"
    os.rename(folder / "model.data", elsewhere)
    os.symlink(elsewhere, folder / "model.data")
    with pytest.raises(PackError, match="not a plain file"):
        Pack.open(folder)


@pytest.mark.parametrize("name", ["../model.data", "/etc/passwd", "a/b", "", ".hidden", "a\x00b"])
def test_a_name_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    stated = json.loads((folder / MANIFEST).read_bytes())
    stated["files"][name] = stated["files"]["model.data"]
    rewrite(folder, files=stated["files"])
    with pytest.raises(PackError, match="damaged"):
        Pack.open(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 1}', "\ufeff{}", '{"format": "1"}', "9" * 400]
)
def test_what_is_no_manifest_is_a_clear_error(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(PackError, match=MANIFEST):
        Pack.open(folder)


def test_bytes_that_are_no_text_are_a_clear_error(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(PackError, match="damaged"):
        Pack.open(folder)


def test_another_format_version_is_named(folder: Path) -> None:
    rewrite(folder, format=2)
    with pytest.raises(PackError, match="format 2; this version reads format 1"):
        Pack.open(folder)


def test_unknown_fields_are_refused(folder: Path) -> None:
    rewrite(folder, surprise=1)
    with pytest.raises(PackError, match="surprise"):
        Pack.open(folder)


def test_a_manifest_that_lists_no_weights_is_refused(folder: Path) -> None:
    stated = json.loads((folder / MANIFEST).read_bytes())
    del stated["files"]["model.data"]
    rewrite(folder, files=stated["files"])
    with pytest.raises(PackError, match=r"lists no file 'model\.data'"):
        Pack.open(folder)


def test_a_folder_without_a_manifest_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="edgeward pull"):
        Pack.open(tmp_path)
    with pytest.raises(PackError, match="edgeward pull"):
        Pack.open(tmp_path / "nowhere")


def test_a_file_the_manifest_does_not_list_cannot_be_asked_for(folder: Path) -> None:
    with pytest.raises(PackError, match="has no file"):
        Pack.open(folder).path("../secret")
