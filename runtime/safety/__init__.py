"""Safety checks: what they are, the built-in ones, and the guard around a running answer.

`Check` is a base for checks of your own, `phrase_filter` makes one of your phrases, `adapted` one
of a function. docs/safety.md explains. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import Check as Check
    from .check import SafetyCheck as SafetyCheck
    from .check import adapted as adapted
    from .learned import LearnedCheck
    from .normalizer import NormalizedText as NormalizedText
    from .normalizer import normalize as normalize
    from .phrases import phrase_filter as phrase_filter
    from .pii import PiiCheck
    from .verdict import Finding as Finding
    from .verdict import Verdict as Verdict

    toxicity_filter: LearnedCheck
    jailbreak_detector: LearnedCheck
    pii_filter: PiiCheck

_HOMES = {
    "Check": "check",
    "Finding": "verdict",
    "NormalizedText": "normalizer",
    "SafetyCheck": "check",
    "Verdict": "verdict",
    "adapted": "check",
    "jailbreak_detector": "builtin",
    "normalize": "normalizer",
    "phrase_filter": "phrases",
    "pii_filter": "builtin",
    "toxicity_filter": "builtin",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'edgeward.safety' has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
