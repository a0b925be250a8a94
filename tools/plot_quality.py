"""Draws loss against size from reports of `edgeward eval --json`, as SVG (docs/quality.svg).

Usage: python tools/plot_quality.py OUT.svg "NAME=report.json" ...

A point stands at the report's `graph_bytes` and `mean_kl`, its interval as a line.
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path
from typing import Any

WIDE, HIGH, EDGE = 640, 360, 56


def main() -> None:
    out, *named = sys.argv[1:]
    points = []
    for argument in named:
        name, _, file = argument.partition("=")
        points.append((name, json.loads(Path(file).read_text())))
    Path(out).write_text(plot(points))


def plot(points: list[tuple[str, dict[str, Any]]]) -> str:
    """An SVG: megabytes to the right, KL upwards on a scale of tens."""
    sizes = [report["pack"]["graph_bytes"] / 1e6 for _, report in points]
    bounds = [report["mean_kl"][side] for _, report in points for side in ("low", "high")]
    left, right = min(sizes) * 0.95, max(sizes) * 1.1
    low = math.floor(math.log10(min(bounds)))
    high = math.ceil(math.log10(max(bounds)))

    def x(size: float) -> float:
        return EDGE + (size - left) / (right - left) * (WIDE - 2 * EDGE)

    def y(kl: float) -> float:
        return HIGH - EDGE - (math.log10(kl) - low) / (high - low) * (HIGH - 2 * EDGE)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{EDGE} {at:.1f}H{WIDE - EDGE}" stroke="#ddd"/>')
        parts.append(f'<text x="8" y="{at + 4:.1f}">{10.0**power:g}</text>')
    for (name, report), size in zip(points, sizes, strict=True):
        kl = report["mean_kl"]
        ours = report["pack"]["graph"] != "float32"
        colour = "#1261a0" if ours else "#b04a2f"
        across, up = x(size), y(kl["value"])
        parts.append(
            f'<path d="M{across:.1f} {y(kl["low"]):.1f}V{y(kl["high"]):.1f}" stroke="{colour}"/>'
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{colour}"/>'
            f'<text x="{across + 7:.1f}" y="{up + 4:.1f}">{escape(name)}, {size:.0f} MB</text>'
        )
    parts.append(f'<text x="{EDGE}" y="{HIGH - 16}">MB of graph and weights</text>')
    parts.append('<text x="8" y="20">mean KL</text></svg>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
