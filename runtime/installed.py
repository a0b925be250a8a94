"""Packs that were installed with pip, as wheels made by `edgeward pack --wheel`.

Knows the entry points by which they are found. Imports nothing of them: a model is data, and its
wheel's code is not run to find it.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from .errors import PackError

GROUP = "edgeward.models"
FOLDER = "pack"
MANIFEST = "manifest.json"


def names() -> list[str]:
    """Names of the installed packs, sorted; they are not verified."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find(name: str) -> Path | None:
    """Folder of the installed pack `name`, or None if there is none; it is not verified here.

    Raises `PackError` if two wheels claim the name, or the wheel lacks its pack.
    """
    points = {_folder(point) for point in entry_points(group=GROUP) if point.name == name}
    if not points:
        return None
    if len(points) > 1:
        raise PackError(
            f"{len(points)} installed wheels hold a pack '{name}': "
            f"{', '.join(sorted(map(str, points)))}. Uninstall all but one, or load a folder."
        )
    (folder,) = points
    if not (folder / MANIFEST).is_file():
        raise PackError(
            f"the installed wheel of '{name}' has no {folder / MANIFEST}; install it again."
        )
    return folder


def _folder(point: EntryPoint) -> Path:
    """Where the wheel of `point` was unpacked: its module's folder, and the pack in it."""
    if point.dist is None or not point.module.isidentifier():
        raise PackError(
            f"the entry point '{point.value}' of the installed pack '{point.name}' is damaged; "
            f"install its wheel again."
        )
    return Path(str(point.dist.locate_file(point.module))) / FOLDER
