"""A pack as a wheel that pip installs and `edgeward.load` finds by the pack's name.

Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/

The wheel holds the pack as it is beside a module of one line, and an entry point in the group
`edgeward.models`. Members are stored, not compressed (quantized weights gain next to nothing and
would be unpacked on every install), in a fixed order with a fixed time: the same pack gives the
same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
import zipfile
from pathlib import Path

import edgeward
from edgeward.errors import OptionError
from edgeward.installed import FOLDER, GROUP
from edgeward.manifest import Manifest
from edgeward.pack import CARD, MANIFEST, Pack

from .sign import SIGNATURE

_TIME = (1980, 1, 1, 0, 0, 0)
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")
_CHUNK = 1 << 20
# Larger members need the 64-bit form of ZIP.
_ZIP64 = 1 << 31


def make_wheel(pack: Path, out: Path, *, version: str = "1.0.0") -> Path:
    """Write the wheel of the pack in folder `pack` into the folder `out`; returns its path.

    The distribution is called `edgeward-model-<name>`. A wheel of that name and version that is
    already there is replaced at the end. Raises `PackError` for a pack that does not verify,
    `OptionError` for a version that is not of the form 1.2.3, `OSError` where the system does.
    """
    if not _VERSION.fullmatch(version):
        raise OptionError(f"version={version!r}; give numbers with points between, such as 1.0.0.")
    opened = Pack.open(pack)
    manifest = opened.manifest
    module = "edgeward_model_" + re.sub(r"[-_.]+", "_", manifest.name).lower()
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{module}-{version}-py3-none-any.whl"
    handle, made = tempfile.mkstemp(prefix=f".{target.name}.", dir=out)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            _Writer(archive, module, version).write(opened)
        os.chmod(made, 0o644)
        os.replace(made, target)
    except BaseException:
        os.unlink(made)
        raise
    return target


class _Writer:
    def __init__(self, archive: zipfile.ZipFile, module: str, version: str) -> None:
        self._archive = archive
        self._module = module
        self._version = version
        self._record: list[str] = []

    def write(self, pack: Pack) -> None:
        manifest = pack.manifest
        module, info = self._module, f"{self._module}-{self._version}.dist-info"
        self._text(f"{module}/__init__.py", _module(manifest))
        signed = [SIGNATURE] if (pack.folder / SIGNATURE).is_file() else []
        for name in sorted([MANIFEST, *manifest.files, *signed]):
            self._file(f"{module}/{FOLDER}/{name}", pack.folder / name)
        self._text(f"{info}/METADATA", self._metadata(pack))
        self._text(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: edgeward\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        points = f"[{GROUP}]\n{manifest.name} = {module}:FOLDER\n"
        self._text(f"{info}/entry_points.txt", points)
        lines = [*self._record, f"{info}/RECORD,,", ""]
        self._archive.writestr(_entry(f"{info}/RECORD"), "\n".join(lines))

    def _metadata(self, pack: Pack) -> str:
        manifest = pack.manifest
        headers = [
            "Metadata-Version: 2.1",
            f"Name: {self._module.replace('_', '-')}",
            f"Version: {self._version}",
            f"Summary: {manifest.name}, a model packed for edgeward",
            f"License: {_one_line(manifest.licence)}",
            f"Requires-Dist: edgeward>={_release()}",
            "Description-Content-Type: text/markdown",
        ]
        card = pack.folder / CARD
        text = card.read_text("utf-8") if CARD in manifest.files else ""
        return "\n".join(headers) + "\n\n" + text

    def _text(self, name: str, text: str) -> None:
        raw = text.encode()
        self._archive.writestr(_entry(name), raw)
        self._note(name, hashlib.sha256(raw), len(raw))

    def _file(self, name: str, path: Path) -> None:
        digest, size = hashlib.sha256(), path.stat().st_size
        entry = _entry(name)
        entry.file_size = size
        with (
            path.open("rb") as source,
            self._archive.open(entry, "w", force_zip64=size >= _ZIP64) as member,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                member.write(chunk)
        self._note(name, digest, size)

    def _note(self, name: str, digest: hashlib._Hash, size: int) -> None:
        code = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        self._record.append(f"{name},sha256={code},{size}")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # the same on every system
    return entry


def _module(manifest: Manifest) -> str:
    return (
        f'"""The model {manifest.name}, packed for edgeward: edgeward.load({manifest.name!r})."""\n'
        f"\n"
        f"from pathlib import Path\n"
        f"\n"
        f'FOLDER = Path(__file__).parent / "{FOLDER}"\n'
    )


def _release() -> str:
    """This version without what a development build adds: the pack's format is what matters."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", edgeward.__version__)
    return found[0] if found else "0"


def _one_line(text: str) -> str:
    return " ".join(text.split())
