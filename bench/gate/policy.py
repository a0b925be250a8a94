"""The policy of a gate, a TOML file: which figures are looked at and how much worse they may be.

Knows: names and ranges. Does not know: how a figure is taken. docs/gate.md explains each name.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeward.errors import OptionError

SPEED = ("first token", "prefill", "time per token")
SIZE = ("pack", "weights")
QUALITY = ("mean_kl", "p99_kl", "top1_agreement")
SETTINGS = {"seconds": 60.0, "prompt": 64, "generate": 24, "windows": 0}


@dataclass(frozen=True)
class Policy:
    """Margins by name; a figure that is not named is not looked at."""

    speed: dict[str, float] = field(default_factory=dict)
    """How much longer it may take, as a share: 0.05 is 5 %."""
    size: dict[str, float] = field(default_factory=dict)
    """How much larger it may be, as a share."""
    quality: dict[str, float] = field(default_factory=dict)
    """Most of a divergence from the baseline, least of an agreement with it."""
    settings: dict[str, float] = field(default_factory=lambda: dict(SETTINGS))


def read(path: Path) -> Policy:
    """The policy in a file. Raises `OptionError` for what is no TOML, unknown or out of range."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} is no TOML: {error}.") from error
    known = {"speed": SPEED, "size": SIZE, "quality": QUALITY, "settings": tuple(SETTINGS)}
    parts = {name: _part(path, name, found.pop(name, {}), words) for name, words in known.items()}
    if found:
        raise OptionError(
            f"{path}: [{next(iter(found))}] is unknown; known are {', '.join(known)}."
        )
    if not any(parts[name] for name in ("speed", "size", "quality")):
        raise OptionError(f"{path} names no figure: a gate that looks at nothing lets all through.")
    return Policy(
        parts["speed"], parts["size"], parts["quality"], {**SETTINGS, **parts["settings"]}
    )


def _part(path: Path, name: str, found: Any, known: tuple[str, ...]) -> dict[str, float]:
    if not isinstance(found, dict):
        raise OptionError(f"{path}: {name} is {found!r}; give a table, [{name}].")
    for key, value in found.items():
        if key not in known:
            raise OptionError(f"{path}: {key!r} in [{name}] is unknown; known are {known}.")
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 <= value < 1e6:
            raise OptionError(f"{path}: {key!r} in [{name}] is {value!r}; give a number from 0 on.")
    return {key: float(value) for key, value in found.items()}
