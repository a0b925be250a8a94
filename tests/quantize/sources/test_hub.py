"""The hub, played by a folder: which files are asked for, what is checked, what errors say."""

from __future__ import annotations

import errno
import hashlib
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from edgeward import manifest
from edgeward.errors import SourceError
from edgeward.quantize.progress import silent
from edgeward.quantize.sources import hub
from edgeward.quantize.sources.hub import HubSource

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub(ModuleType):
    """`huggingface_hub` with one repository, "org/model", whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("huggingface_hub")
        self.folder = folder
        self.fetched: list[str] = []
        self.failure: Exception | None = None
        self.lie: str | None = None
        self.commit: str | None = COMMIT

    def HfApi(self) -> FakeHub:
        return self

    def model_info(self, repository: str, *, revision: str | None, files_metadata: bool) -> Any:
        assert files_metadata
        if self.failure is not None:
            raise self.failure
        return SimpleNamespace(sha=self.commit, siblings=[self._sibling(p) for p in self._files()])

    def hf_hub_download(self, repository: str, name: str, *, revision: str, local_dir: Path) -> str:
        assert revision == self.commit
        self.fetched.append(name)
        target = local_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / name, target)
        return str(target)

    def _files(self) -> list[Path]:
        return sorted(p for p in self.folder.rglob("*") if p.is_file())

    def _sibling(self, path: Path) -> Any:
        large = path.suffix in {".gguf", ".safetensors"}
        sha256 = self.lie or hashlib.sha256(path.read_bytes()).hexdigest()
        return SimpleNamespace(
            rfilename=path.relative_to(self.folder).as_posix(),
            size=path.stat().st_size,
            lfs=SimpleNamespace(sha256=sha256) if large else None,
        )


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    folder = tmp_path / "repository"
    folder.mkdir()
    module = FakeHub(folder)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return module


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    fetched, work = tmp_path / "fetched", tmp_path / "work"
    fetched.mkdir()
    work.mkdir()
    return fetched, work


def test_a_gguf_file_comes_with_commit_hash_and_licence(
    fake: FakeHub, folders: tuple[Path, Path], tiny: Path
) -> None:
    shutil.copy(tiny, fake.folder / "tiny.gguf")
    (fake.folder / "README.md").write_text("---\nlicense: mit\n---\n")
    told: list[tuple[str, int, int, str]] = []

    def progress(phase: str, done: int, total: int, unit: str = "items") -> None:
        told.append((phase, done, total, unit))

    got = HubSource("org/model").fetch(*folders, progress)
    assert got.model.read_bytes() == tiny.read_bytes()
    assert got.licence == "mit"
    assert got.source == manifest.Source(
        kind="hub",
        reference=f"org/model@{COMMIT}",
        file="tiny.gguf",
        format="gguf",
        sha256=hashlib.sha256(tiny.read_bytes()).hexdigest(),
    )
    size = tiny.stat().st_size
    assert told[-1] == ("fetch tiny.gguf", size, size, "bytes")


def test_without_a_card_the_licence_is_left_to_the_model(
    fake: FakeHub, folders: tuple[Path, Path], tiny: Path
) -> None:
    shutil.copy(tiny, fake.folder / "tiny.gguf")
    assert HubSource("org/model").fetch(*folders, silent).licence is None


def test_a_folder_is_the_model_when_there_are_safetensors(
    fake: FakeHub, folders: tuple[Path, Path]
) -> None:
    (fake.folder / "config.json").write_text("{}")
    (fake.folder / "model.safetensors").write_bytes(b"weights")
    got = HubSource("org/model").fetch(*folders, silent)
    assert got.model == folders[0] / COMMIT
    assert (got.source.format, got.source.file) == ("safetensors", "model")
    assert fake.fetched == ["config.json", "model.safetensors"]


def test_a_file_unlike_its_hash_is_refused(
    fake: FakeHub, folders: tuple[Path, Path], tiny: Path
) -> None:
    shutil.copy(tiny, fake.folder / "tiny.gguf")
    fake.lie = "0" * 64
    with pytest.raises(SourceError, match=r"the hub says .* 000000"):
        HubSource("org/model").fetch(*folders, silent)


def test_files_of_another_commit_do_not_mix(fake: FakeHub, folders: tuple[Path, Path]) -> None:
    (fake.folder / "config.json").write_text("{}")
    (fake.folder / "model.safetensors").write_bytes(b"old")
    HubSource("org/model").fetch(*folders, silent)
    (fake.folder / "model.safetensors").unlink()
    (fake.folder / "model.safetensors.index.json").write_text("{}")
    fake.commit = "f" * 40
    got = HubSource("org/model").fetch(*folders, silent)
    assert not (got.model / "model.safetensors").exists()


@pytest.mark.parametrize("commit", ["../escaped", "", None])
def test_a_commit_that_is_none_is_refused(
    fake: FakeHub, folders: tuple[Path, Path], commit: str | None
) -> None:
    fake.commit = commit
    with pytest.raises(SourceError, match="which is none"):
        HubSource("org/model").fetch(*folders, silent)


def test_no_network_is_said_so(fake: FakeHub, folders: tuple[Path, Path]) -> None:
    fake.failure = ConnectionError("Name or service not known")
    with pytest.raises(SourceError, match=r"org/model could not be fetched.*is there a network\?"):
        HubSource("org/model").fetch(*folders, silent)


def test_a_gated_repository_says_how_to_log_in(fake: FakeHub, folders: tuple[Path, Path]) -> None:
    fake.failure = type("GatedRepoError", (Exception,), {})("403")
    with pytest.raises(SourceError, match="hf auth login"):
        HubSource("org/model").fetch(*folders, silent)


def test_a_full_disk_stays_a_disks_error(fake: FakeHub, folders: tuple[Path, Path]) -> None:
    fake.failure = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        HubSource("org/model").fetch(*folders, silent)


def test_too_large_a_repository_is_refused_before_it_is_fetched(
    fake: FakeHub, folders: tuple[Path, Path], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(tiny, fake.folder / "tiny.gguf")
    monkeypatch.setattr(hub.disk, "free_bytes", lambda path: 1000)
    with pytest.raises(SourceError, match="fetching org/model needs"):
        HubSource("org/model").fetch(*folders, silent)
    assert fake.fetched == []


def test_without_the_package_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, Path]
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SourceError, match=r"pip install 'edgeward\[hub\]'"):
        HubSource("org/model").fetch(*folders, silent)


def test_a_pack_is_recognized_by_repository_file_and_commit() -> None:
    def source(reference: str, kind: str = "hub") -> manifest.Source:
        return manifest.Source(kind=kind, reference=reference, file="f", format="gguf", sha256="")

    plain = HubSource("org/model")
    assert plain.made(source(f"org/model@{COMMIT}"))
    assert not plain.made(source(f"org/other@{COMMIT}"))
    assert not plain.made(source(f"org/model@{COMMIT}:a.gguf"))
    assert not plain.made(source(f"org/model@{COMMIT}", "path"))
    assert not plain.made(source("not an id"))
    assert HubSource("org/model", COMMIT, "a.gguf").made(source(f"org/model@{COMMIT}:a.gguf"))
    assert not HubSource("org/model", "f" * 40).made(source(f"org/model@{COMMIT}"))


def test_the_real_package_still_has_what_is_used() -> None:
    package = pytest.importorskip("huggingface_hub")
    import inspect

    assert "files_metadata" in inspect.signature(package.HfApi.model_info).parameters
    parameters = inspect.signature(package.hf_hub_download).parameters
    assert {"repo_id", "filename", "revision", "local_dir"} <= set(parameters)


def test_the_quiet_bar_counts() -> None:
    pytest.importorskip("tqdm")
    told: list[int] = []
    bar = hub._bar("fetch x", 100, lambda phase, done, *_: told.append(done))
    with bar(total=100, initial=10, name="huggingface_hub.x", unit="B", desc="x") as shown:
        shown.update(30)
        shown.update(100)
    assert told == [40, 100]
