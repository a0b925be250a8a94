"""Plots as inline SVG: boxes, curves with bands, a roofline. Knows numbers and words, no recording.

Colours are the page's CSS classes, so that one drawing reads in light and in dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, LEFT, RIGHT = 640, 150, 20
ROW = 30
Scale = Callable[[float], float]


def boxes(groups: Mapping[str, Sequence[float]], unit: str) -> str:
    """A box a group: quartiles, median, whiskers at the 5th and 95th percentile, dots beyond."""
    points = [value for values in groups.values() for value in values]
    whiskers = [float(np.percentile(values, 95)) for values in groups.values()]
    high = max(float(np.percentile(points, 99.5)), *whiskers)
    place = _linear(0, high * 1.05, LEFT, WIDTH - RIGHT)
    parts, y = [], 10
    for name, values in groups.items():
        low, q1, q2, q3, top = (float(v) for v in np.percentile(values, [5, 25, 50, 75, 95]))
        middle = y + ROW / 2
        parts += [
            _text(LEFT - 8, middle + 4, name, "end"),
            _line(place(low), middle, place(top), middle, "axis"),
            f'<rect class="box" x="{place(q1):.1f}" y="{middle - 8}" '
            f'width="{max(place(q3) - place(q1), 1):.1f}" height="16">'
            f"<title>{escape(name)}: median {q2:.3g} {escape(unit)}, middle half {q1:.3g} to "
            f"{q3:.3g}, 5th to 95th percentile {low:.3g} to {top:.3g}</title></rect>",
            _line(place(q2), middle - 8, place(q2), middle + 8, "median"),
        ]
        beyond = [v for v in values if (v < low or v > top) and v <= high * 1.05]
        parts += [
            f'<circle class="dot" cx="{place(v):.1f}" cy="{middle}" r="1.5"/>' for v in beyond[:60]
        ]
        y += ROW
    parts.append(_bottom(place, 0, high * 1.05, y + 4, unit))
    return _svg(y + 44, parts, f"box plots in {unit}")


@dataclass(frozen=True)
class Point:
    """A place of a curve, its value and interval."""

    at: float
    value: float
    low: float
    high: float


def curve(points: Sequence[Point], across: str, up: str) -> str:
    """Values over places on a logarithmic axis, with their intervals as a band."""
    height, top = 230, 12
    most = max(p.high for p in points) * 1.1
    x = _logarithmic(points[0].at, points[-1].at, 70, WIDTH - RIGHT)
    y = _linear(0, most, height, top)
    band = [(x(p.at), y(p.high)) for p in points] + [(x(p.at), y(p.low)) for p in points[::-1]]
    parts = [f'<polygon class="band" points="{_path(band)}"/>']
    parts.append(
        f'<polyline class="curve" points="{_path([(x(p.at), y(p.value)) for p in points])}"/>'
    )
    for p in points:
        parts += [
            f'<circle class="mark" cx="{x(p.at):.1f}" cy="{y(p.value):.1f}" r="3.5"><title>'
            f"{p.at:g} {escape(across)}: {p.value:.3g} {escape(up)} ({p.low:.3g} to {p.high:.3g})"
            "</title></circle>",
            _text(x(p.at), height + 18, f"{p.at:g}", "middle"),
        ]
    parts += _upright(y, most, 70, up)
    parts.append(_text((70 + WIDTH - RIGHT) / 2, height + 38, across, "middle"))
    return _svg(height + 46, parts, f"{up} by {across}")


def roofline(
    points: Mapping[str, tuple[float, float]], read: float, compute: float, unit: str
) -> str:
    """Work done against operations a byte read, below the machine's two limits.

    Args:
        points: name -> (operations a byte, billions of operations a second).
        read: GB/s.
        compute: billions of operations a second.
    """
    height, top = 260, 12
    xs = [i for i, _ in points.values()] + [compute / read]
    ys = [v for _, v in points.values()] + [compute]
    left, right = min(xs) / 2, max(xs) * 2
    x = _logarithmic(left, right, 70, WIDTH - RIGHT)
    y = _logarithmic(min(*ys, left * read) / 1.5, max(ys) * 1.6, height, top)
    ridge = compute / read
    roof = [(left, left * read), (ridge, compute), (right, compute)]
    parts = [f'<polyline class="roof" points="{_path([(x(a), y(b)) for a, b in roof])}"/>']
    parts.append(_text(x(right), y(compute) - 6, f"{compute:.0f} {unit}", "end"))
    half = math.sqrt(left * ridge)
    parts.append(_text(x(half) - 8, y(half * read), f"{read:.0f} GB/s", "end"))
    for number, (name, (intensity, done)) in enumerate(points.items()):
        limit = min(compute, intensity * read)
        parts.append(
            f'<circle class="mark" cx="{x(intensity):.1f}" cy="{y(done):.1f}" r="4"><title>'
            f"{escape(name)}: {done:.3g} {unit}, {done / limit:.0%} of the limit</title></circle>"
        )
        # Neighbours are close: their names take turns below and above.
        below, near = 18 if number % 2 == 0 else -10, x(intensity) < 150
        parts.append(_text(x(intensity), y(done) + below, name, "start" if near else "middle"))
    powers = range(math.ceil(math.log10(left)), math.floor(math.log10(right)) + 1)
    parts += [_text(x(10.0**p), height + 18, f"{10.0**p:g}", "middle") for p in powers]
    parts.append(_line(70, height, WIDTH - RIGHT, height, "axis"))
    parts.append(_line(70, top, 70, height, "axis"))
    parts.append(
        _text((70 + WIDTH - RIGHT) / 2, height + 38, "operations a byte of weights", "middle")
    )
    return _svg(height + 46, parts, "roofline")


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    reach = (high - low) or 1.0
    return lambda value: start + (value - low) / reach * (end - start)


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    inner = _linear(math.log(low), math.log(high), start, end)
    return lambda value: inner(math.log(value))


def _ticks(high: float) -> list[float]:
    """Round numbers from 0, about five."""
    step = 10.0 ** math.floor(math.log10(high / 4)) if high > 0 else 1.0
    step *= next((k for k in (1, 2, 5, 10) if high / (step * k) <= 6), 10)
    return [i * step for i in range(int(high / step) + 1)]


def _bottom(place: Scale, low: float, high: float, y: float, unit: str) -> str:
    parts = [_line(place(low), y, place(high), y, "axis")]
    for tick in _ticks(high):
        parts.append(_line(place(tick), y, place(tick), y + 4, "axis"))
        parts.append(_text(place(tick), y + 18, f"{tick:g}", "middle"))
    parts.append(_text(place(high), y + 34, unit, "end"))
    return "".join(parts)


def _upright(y: Scale, high: float, x: float, unit: str) -> list[str]:
    parts = []
    for tick in _ticks(high):
        parts.append(_line(x, y(tick), WIDTH - RIGHT, y(tick), "grid"))
        parts.append(_text(x - 6, y(tick) + 4, f"{tick:g}", "end"))
    parts.append(_text(x - 62, 10, unit, "start"))
    return parts


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in points)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(height: float, parts: Sequence[str], label: str) -> str:
    box, body = f"0 0 {WIDTH} {height:.0f}", "".join(parts)
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(label)}">{body}</svg>'
