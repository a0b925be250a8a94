"""Packs of one name that differ in a known way, keys, and a publisher's folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tiny_llama
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgeward import manifest as m
from edgeward import store
from edgeward.pack import MANIFEST, Pack, file_entry
from edgeward.quantize.publish import Published, publish

NAME = "tiny"


@dataclass
class Publisher:
    """A channel folder and the keys to it."""

    packs: dict[str, Path]
    channel: Path
    private: Path
    public: Path

    def publish(self, which: str, **options: int) -> Published:
        return publish(self.packs[which], self.channel, self.private, **options)

    def sha(self, which: str) -> str:
        return Pack.open(self.packs[which]).sha256


def in_use() -> str:
    """Sha256 of the pack that the name leads to, every byte checked."""
    return Pack.open(store.find(NAME)).sha256


def make(folder: Path) -> dict[str, Path]:
    """Packs "1", "2" (another card), "3" (other weights) and "bad" (cannot answer its prompts)."""
    packs = {"1": tiny_llama.write_pack(folder / "1" / NAME, num_hidden_layers=1)}
    packs["2"] = changed(packs["1"], folder / "2" / NAME, card="# another card\n")
    packs["3"] = tiny_llama.write_pack(folder / "3" / NAME, seed=3, num_hidden_layers=1)
    packs["bad"] = changed(packs["3"], folder / "bad" / NAME, card="# wrong\n", wrong=True)
    return packs


def changed(pack: Path, to: Path, *, card: str, wrong: bool = False) -> Path:
    """A copy of `pack` with another card; `wrong`: and stored prompts that it cannot answer."""
    shutil.copytree(pack, to)
    (to / "card.md").write_text(card)
    manifest = Pack.open(pack).manifest
    files = {**manifest.files, "card.md": file_entry(to / "card.md")}
    golden = manifest.golden
    if wrong:
        golden = [
            msgspec.structs.replace(g, logits=[v + g.spread for v in g.logits]) for g in golden
        ]
    made = msgspec.structs.replace(manifest, files=files, golden=golden)
    (to / MANIFEST).write_bytes(m.encode(made))
    return to


def write_keys(folder: Path, stem: str = "key") -> tuple[Path, Path]:
    """A new pair in PEM: private, public."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{stem}.pem", folder / f"{stem}.pub.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public
