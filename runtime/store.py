"""Where packs live on this machine: names, folders, look-up. Makes and removes nothing.

The store is one folder per user: `packs/<name>/` holds finished packs, `downloads/` and `locks/`
belong to the tools that make them (`edgeward.quantize.store`).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import OptionError, PackError

HOME_VARIABLE = "EDGEWARD_HOME"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def home() -> Path:
    """The store's folder: `$EDGEWARD_HOME`, else the user's data folder of this system.

    Read at every call, never cached. The folder need not exist.
    """
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_dir  # only here: not every run asks for the default

    return Path(user_data_dir("edgeward", appauthor=False))


def is_name(text: str) -> bool:
    """Whether `text` may name a pack: 1 to 128 of `A-Z a-z 0-9 . _ -`, first a letter or digit."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return `name`, or raise `OptionError` if it may not name a pack (see `is_name`)."""
    if not is_name(name):
        raise OptionError(
            f"{name!r} cannot name a pack: use 1 to 128 letters, digits, '.', '_' or '-', "
            f"and begin with a letter or a digit."
        )
    return name


def packs_folder() -> Path:
    """Folder that holds one folder per pack; it need not exist."""
    return home() / "packs"


def pack_folder(name: str) -> Path:
    """Folder of the pack `name`, present or not. Raises `OptionError` for an unsafe name."""
    return packs_folder() / check_name(name)


def pack_names() -> list[str]:
    """Names of the packs in the store, sorted; the packs are not verified."""
    from .pack import MANIFEST

    try:
        folders = list(packs_folder().iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PackError(f"{packs_folder()} cannot be read: {error.strerror}.") from None
    return sorted(f.name for f in folders if is_name(f.name) and (f / MANIFEST).is_file())


def find(name: str) -> Path:
    """Folder of the pack `name`, in the store or installed with pip; it is not verified here.

    The store comes first. Raises `OptionError` for an unsafe name and `PackError` naming the packs
    there are.

    >>> find("smollm2-135m")                                          # doctest: +SKIP
    PosixPath('/home/ada/.local/share/edgeward/packs/smollm2-135m')
    """
    folder = pack_folder(name)
    present = pack_names()
    if name not in present:
        from . import installed  # reads every installed package's entry points

        if (found := installed.find(name)) is not None:
            return found
        have = f"it has {', '.join(present)}" if present else "it is empty"
        raise PackError(
            f"no pack '{name}' in {packs_folder()} ({have}). "
            f"`edgeward pull {name}` makes it, if the catalog knows it: `edgeward pull --list`."
        )
    # `edgeward update` keeps versions and points to one: what is opened must be all of one version.
    return folder.resolve() if folder.is_symlink() else folder


def folder_of(source: str | Path) -> Path:
    """The folder of a pack: a path is taken as it is, a bare name is looked up here first.

    Raises `PackError` for a name that is neither.
    """
    from .pack import MANIFEST

    if isinstance(source, Path) or "/" in source:
        return Path(source)
    if source in pack_names() or not (Path(source) / MANIFEST).is_file():
        return find(source)
    return Path(source)
