"""`edgeward eval --safety`: measure a check on labelled texts; tables or JSON out."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edgeward.errors import OptionError

from . import safety_rows
from .safety import Figures, Rate, Scores, measure

SHIPPED = {"toxicity": "edgeward:toxicity_filter", "jailbreak": "edgeward:jailbreak_detector"}


def evaluate(safety: str, data: list[Path] | None, as_json: bool) -> None:
    """Measure a check and print: recall at 1 % and 5 % false positives, AUC, calibration, fairness.

    `safety` is a name in `SHIPPED`, or "module:object"; `data` files of rows (None: made
    sentences). Thresholds are set on the safe texts given, so that checks are compared at the same
    price. Intervals are 95 % (Wilson). Raises `OptionError`.
    """
    check = find(safety)
    if data:
        samples = safety_rows.read(data)
    elif safety in SHIPPED:
        samples = safety_rows.made(safety)
    else:
        raise OptionError(f"--safety {safety} needs --data: made sentences are for the two heads.")
    figures = measure(check, samples)
    if as_json:
        print(json.dumps(_plain(dataclasses.asdict(figures))))
    else:
        _print(figures)


def find(name: str) -> Scores:
    """The check of that name, or the object that "module:object" names.

    Raises `OptionError` when there is none, or when it has no name or score_batch.
    """
    module, _, attribute = SHIPPED.get(name, name).partition(":")
    if not attribute:
        raise OptionError(f"--safety {name}: give {', '.join(SHIPPED)} or module:object.")
    sys.path.insert(0, "")  # a check in the folder where the command is given
    try:
        check: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"--safety {name}: {error}.") from error
    finally:
        sys.path.remove("")
    missing = [part for part in ("name", "score_batch") if not hasattr(check, part)]
    if missing:
        raise OptionError(f"--safety {name}: it has no {' and no '.join(missing)}.")
    found: Scores = check
    return found


def _plain(value: Any) -> Any:
    """JSON knows no NaN: a share of nothing is null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _print(figures: Figures) -> None:
    console = Console(width=None if sys.stdout.isatty() else 130)
    keys = list(figures.thresholds)
    sets = Table(title=f"{figures.check}: sets", title_justify="left")
    sets.add_column("set")
    rates = [f"{what} at {key}" for what in ("found", "flagged") for key in keys]
    for column in ("unsafe", "safe", "AUC", *rates):
        sets.add_column(column, justify="right")
    for s in figures.sets:
        cells = [_rate(s.recall.get(k)) for k in keys] + [_rate(s.flagged.get(k)) for k in keys]
        sets.add_row(
            s.set, str(s.unsafe), str(s.safe), "" if s.auc is None else f"{s.auc:.3f}", *cells
        )
    console.print(sets)
    if figures.subgroups:
        groups = Table(title="safe texts flagged, by subgroup", title_justify="left")
        groups.add_column("subgroup")
        for key in keys:
            gap = figures.subgroup_gap[key]
            groups.add_column(f"at {key} (gap {gap:.1f} points)", justify="right")
        ordered = sorted(figures.subgroups.items(), key=lambda item: -item[1][keys[-1]].share)
        for name, shares in ordered[:20]:
            groups.add_row(name, *(_rate(shares[key]) for key in keys))
        console.print(groups)
        if len(ordered) > 20:
            console.print(f"... and {len(ordered) - 20} more with fewer; --json has them all.")
    if figures.obfuscation:
        hidden = Table(title=f"obfuscated, at {keys[0]}", title_justify="left")
        hidden.add_column("how")
        hidden.add_column("recall kept", justify="right")
        hidden.add_column("safe flagged", justify="right")
        for name, kept in figures.obfuscation.items():
            hidden.add_row(name, f"{kept['recall_kept']:.1%}", f"{kept['safe_flagged']:.1%}")
        console.print(hidden)
    limits = ", ".join(f"{value:.4f} at {key}" for key, value in figures.thresholds.items())
    console.print(f"thresholds {limits}; Brier {figures.brier:.4f}, ", end="")
    console.print(f"calibration error {figures.calibration_error:.4f}", highlight=False)
    p50, p99 = figures.latency_us["p50"], figures.latency_us["p99"]
    console.print(f"256 characters: p50 {p50:.0f} us, p99 {p99:.0f} us", highlight=False)


def _rate(rate: Rate | None) -> str:
    return "" if rate is None else f"{rate.share:.1%} ({rate.low:.1%} - {rate.high:.1%})"
