"""Settings of a config.json, each checked for type and range when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward.errors import IntakeError

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Fields:
    """`settings` of the model in `folder`; a value of null counts as missing."""

    folder: Path
    settings: Settings

    def get(self, key: str, default: Any = None) -> Any:
        value = self.settings.get(key)
        return default if value is None else value

    def count(self, key: str, default: int | None = None) -> int:
        value = self.get(key, default)
        if type(value) is not int or not 1 <= value <= 1 << 31:
            raise self.wrong(key, value, "a count of at least 1")
        return value

    def real(self, key: str, default: float | None = None) -> float:
        value = self.get(key, default)
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise self.wrong(key, value, "a positive number")
        return float(value)

    def reals(self, key: str, count: int) -> tuple[float, ...]:
        value = self.get(key)
        if not isinstance(value, list) or len(value) != count:
            raise self.wrong(key, value, f"a list of {count} positive numbers")
        return tuple(Fields(self.folder, {key: one}).real(key) for one in value)

    def maybe_real(self, key: str) -> float | None:
        return None if self.get(key) is None else self.real(key)

    def flag(self, key: str) -> bool:
        value = self.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def wrong(self, key: str, value: object, legal: str) -> IntakeError:
        said = "is missing" if value is None else f"is {_short(value)}"
        return IntakeError(
            f"{self.folder / 'config.json'}: '{key}' {said}; the graph builder needs {legal}. "
            f"Fetch the file again, or choose another model."
        )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
