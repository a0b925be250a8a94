"""A signature holds for the files as they were and for its key, and for nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_llama

pytest.importorskip("model_signing", reason="the extra [sign] is not installed")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import edgeward
from edgeward.errors import OptionError, PackError
from edgeward.quantize import sign
from edgeward.quantize.verify import verify

PEM = serialization.Encoding.PEM


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A private and a public key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_pack(tmp_path_factory.mktemp("packs") / "tiny")


@pytest.fixture
def signed(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A signed copy, and the public key."""
    pack = tmp_path / "pack"
    shutil.copytree(made, pack)
    private, public = key_pair(tmp_path, "mine")
    assert sign.sign(pack, private) == pack / "model.sig"
    return pack, public


def test_a_signed_pack_verifies_and_still_loads(signed: tuple[Path, Path]) -> None:
    pack, public = signed
    found = verify(pack, key=public)
    assert (found.signed, found.ran) == (True, True)
    edgeward.load(pack).close()
    assert sorted(p.name for p in pack.parent.iterdir()) == ["mine.pem", "mine.pub", "pack"]


def test_another_key_does_not_fit(signed: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = key_pair(tmp_path, "other")
    with pytest.raises(PackError, match=r"model\.sig does not fit"):
        verify(signed[0], key=other, run=False)


def rewrite_manifest(pack: Path) -> None:
    """A change that all hashes in the manifest survive."""
    manifest = json.loads((pack / "manifest.json").read_text())
    manifest["licence"] = "public domain"
    (pack / "manifest.json").write_text(json.dumps(manifest))


def flip(name: str) -> Callable[[Path], None]:
    def change(pack: Path) -> None:
        content = bytearray((pack / name).read_bytes())
        content[-1] ^= 1
        (pack / name).write_bytes(content)

    return change


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "the manifest": (rewrite_manifest, r"model\.sig does not fit"),
    "weights": (flip("model.data"), r"model\.data has sha256"),
    "the signature": (flip("model.sig"), r"model\.sig does not fit"),
    "a file too many": (lambda p: (p / "more.txt").write_text("x"), r"model\.sig does not fit"),
    "no signature": (lambda p: (p / "model.sig").unlink(), "is not signed"),
    "a signature of zeros": (lambda p: (p / "model.sig").write_bytes(b"\0" * 9), "does not fit"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_found(signed: tuple[Path, Path], case: str) -> None:
    pack, public = signed
    change, message = CHANGES[case]
    change(pack)
    with pytest.raises(PackError, match=message):
        verify(pack, key=public, run=False)


def test_what_is_no_key_is_named(made: Path, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(OptionError, match=r"text\.pem is no private elliptic-curve key"):
        sign.sign(made, tmp_path / "text.pem")
    with pytest.raises(OptionError, match=r"none\.pem cannot be read"):
        sign.sign(made, tmp_path / "none.pem")
    assert not (made / "model.sig").exists()
    assert [p.name for p in made.parent.iterdir() if p.name.startswith(".")] == []
