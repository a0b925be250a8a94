"""Which layers of a model see only a window, where its files give a rule and not a list."""

from __future__ import annotations

from edgeward.quantize.families import Windows


def windowed_layers(rule: Windows, layers: int, period: int, start: int = 0) -> list[bool]:
    """True for each layer with a window.

    `period`: under a numbered rule every period-th layer sees all; `start`: the first layer that
    the rule "upper" limits.
    """
    if rule == "none":
        return [False] * layers
    if isinstance(rule, int):
        return [bool((layer + 1) % period) for layer in range(layers)]
    return [layer >= start for layer in range(layers)]
