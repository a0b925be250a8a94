"""The checks that are there without being made, and their names on the command line.

Knows: which there are. Does not know: how they work.
"""

from __future__ import annotations

from edgeward.errors import OptionError

from .check import Check
from .learned import jailbreak, toxicity
from .pii import PiiCheck

toxicity_filter = toxicity()
"""Insults, hate and threats, in questions, tool results and replies."""
jailbreak_detector = jailbreak()
"""Attempts to turn the model against its instructions, in questions and tool results."""
pii_filter = PiiCheck()
"""Personal data and keys by their form; puts a name in their place."""

BUILT_IN: dict[str, Check] = {
    "toxicity": toxicity_filter,
    "jailbreak": jailbreak_detector,
    "pii": pii_filter,
}


def named(names: str) -> list[Check]:
    """The checks of a list such as "toxicity,jailbreak=strict,pii=report".

    Behind "=" stands a threshold (strict, balanced, permissive, a number) or a policy (block,
    redact, replace, report). Raises `OptionError`.
    """
    made = []
    for entry in names.split(","):
        name, _, setting = entry.strip().partition("=")
        if name not in BUILT_IN:
            raise OptionError(f"there is no check {name!r}; there are {', '.join(BUILT_IN)}.")
        made.append(_set(BUILT_IN[name], setting))
    return made


def _set(check: Check, setting: str) -> Check:
    from .learned import LEVELS, LearnedCheck
    from .verdict import POLICIES

    if not setting:
        return check
    if setting in POLICIES:
        return check.configured(policy=setting)
    if isinstance(check, LearnedCheck):
        try:
            return check.with_threshold(setting if setting in LEVELS else float(setting))
        except ValueError:
            pass
    legal = [*(LEVELS if isinstance(check, LearnedCheck) else ()), *POLICIES]
    raise OptionError(f"{check.name}={setting}: {setting!r} must be one of {', '.join(legal)}.")
