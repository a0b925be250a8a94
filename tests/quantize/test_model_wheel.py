"""A pack becomes a wheel that pip installs and `edgeward.load` finds by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tiny_llama

import edgeward
from edgeward import installed, store
from edgeward.cli import main
from edgeward.errors import OptionError, PackError
from edgeward.pack import Pack
from edgeward.quantize.model_wheel import make_wheel


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_pack(tmp_path_factory.mktemp("packs") / "tiny-wheel.1")


@pytest.fixture(scope="module")
def wheel(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheel(packed, tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel installed by pip into a folder on the path, without a network."""
    folder = tmp_path / "site"
    command = ["install", "-q", "--no-index", "--no-deps", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *command], check=True, timeout=120)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "home"))
    return folder


def test_the_same_pack_gives_the_same_bytes(packed: Path, wheel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(packed, copy)
    again = make_wheel(copy, tmp_path / "wheels")
    assert again.name == wheel.name == "edgeward_model_tiny_wheel_1-1.0.0-py3-none-any.whl"
    assert again.read_bytes() == wheel.read_bytes()


def test_pip_installs_it_and_load_finds_it_by_name(site: Path, packed: Path) -> None:
    name = "tiny-wheel.1"
    assert name in installed.names()
    assert store.find(name) == site / "edgeward_model_tiny_wheel_1" / "pack"
    with edgeward.load(name) as model, edgeward.load(packed) as direct:
        assert model.info.pack_sha256 == direct.info.pack_sha256
        asked = {"max_tokens": 4, "temperature": 0}
        assert model.generate("the", **asked).text == direct.generate("the", **asked).text
    assert "edgeward_model_tiny_wheel_1" not in sys.modules  # no code of the wheel was run


def test_a_wheel_that_lost_its_pack_is_named(site: Path) -> None:
    (site / "edgeward_model_tiny_wheel_1" / "pack" / "manifest.json").unlink()
    with pytest.raises(PackError, match=r"the installed wheel of 'tiny-wheel\.1' has no"):
        store.find("tiny-wheel.1")


@pytest.mark.parametrize(("kind", "data"), [("fused", "fused.data"), ("portable", "model.data")])
def test_a_changed_byte_in_an_installed_pack_is_refused(site: Path, kind: str, data: str) -> None:
    file = site / "edgeward_model_tiny_wheel_1" / "pack" / data
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(PackError, match=rf"{data} has sha256"):
        edgeward.load("tiny-wheel.1", graph=kind)


def test_every_member_is_in_the_record(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        record = archive.read("edgeward_model_tiny_wheel_1-1.0.0.dist-info/RECORD").decode()
        listed = [line.split(",")[0] for line in record.splitlines()]
        assert listed == archive.namelist()
        assert archive.testzip() is None


def test_refuses_a_version_and_a_damaged_pack(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="version='1;0'"):
        make_wheel(packed, tmp_path, version="1;0")
    copy = tmp_path / "copy"
    shutil.copytree(packed, copy)
    (copy / "model.data").write_bytes(b"")
    with pytest.raises(PackError, match=r"model\.data"):
        make_wheel(copy, tmp_path / "wheels")
    assert not (tmp_path / "wheels").exists()


def test_on_the_command_line(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0)

    assert run("pack", str(packed), "--wheel", str(tmp_path), "--json") == 0
    assert Path(json.loads(capsys.readouterr().out)["wheel"]).is_file()
    assert run("pack", str(packed)) == 2
    assert run("verify", str(packed), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sha256"], found["ran"]) == (Pack.open(packed).sha256, True)
