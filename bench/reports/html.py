"""One HTML page of a recording: no script, nothing loaded from anywhere, light and dark.

Knows: which figures belong in which plot. Does not know: how a plot is drawn (svg.py).
"""

from __future__ import annotations

from html import escape

from .. import figures, resample
from ..records import Recording, Subject
from ..report import number
from . import svg
from .markdown import machine

_STYLE = """
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5b6675; --line: #d5dae1; --page: #fff;
  --one: #1f5fae; --pale: #1f5fae2e; --hot: #b4440f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa5b4; --line: #353d49;
  --page: #14181e; --one: #7db1f2; --pale: #7db1f233; --hot: #f0935f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
th { color: var(--soft); font-weight: 600; }
svg { width: 100%; max-width: 760px; height: auto; display: block; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.axis { stroke: var(--soft); } .grid { stroke: var(--line); } .band, .box { fill: var(--pale); }
.box { stroke: var(--one); } .median { stroke: var(--hot); stroke-width: 2; }
.curve, .roof { fill: none; stroke: var(--one); stroke-width: 2; } .roof { stroke: var(--hot); }
.mark { fill: var(--one); } .dot { fill: var(--soft); }
.note { border-left: 3px solid var(--hot); padding-left: .7rem; margin: .4rem 0; }
"""

_BOXES = ("first token, chat", "first token", "prefill", "time per token", "load")


def page(recording: Recording) -> str:
    """The whole page."""
    titles = [figures.title(recording, arm) for arm in recording.arms]
    body = [f"<h1>{escape(' and '.join(titles))}</h1>"]
    body.append(f'<p class="soft">{escape(machine(recording))}</p>')
    body += [f'<p class="note">{escape(note)}</p>' for note in figures.notes(recording)]
    for arm in recording.arms:
        body += _plots(recording, arm)
    for arm, words in zip(recording.arms, titles, strict=True):
        body += [f"<h2>All figures: {escape(words)}</h2>", _table(recording, arm)]
    body.append(
        '<p class="soft">Medians and percentiles of raw samples; intervals are 95 %, by bootstrap '
        "over turns. Times are taken through the public API: tokenization, sampling and text are "
        "in them.</p>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(titles[0])}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _plots(recording: Recording, arm: str) -> list[str]:
    side = f" ({arm})" if arm else ""
    parts = []
    groups = {
        f"{metric}": [v for values in turns.values() for v in values]
        for metric in _BOXES
        if (turns := recording.turns(metric, None, arm))
    }
    for at, turns in recording.curve("time per token", arm).items():
        groups[f"token behind {at}"] = [v for values in turns.values() for v in values]
    # Loads are seconds where tokens are milliseconds: a plot for each size of time.
    for slow in (False, True):
        chosen = {k: v for k, v in groups.items() if (sorted(v)[len(v) // 2] > 50) == slow}
        if chosen:
            parts += [
                f"<h2>{'Long' if slow else 'Short'} times{side}</h2>",
                svg.boxes(chosen, "ms"),
            ]
    for metric, title, across, up in (
        ("prefill", "Prefill by length", "tokens of the prompt", "tokens/s"),
        ("time per token", "Decode by context", "tokens before", "ms a token"),
        ("throughput", "Requests at once", "requests", "tokens/s"),
    ):
        points = _curve(recording, metric, arm)
        if len(points) > 1:
            parts += [f"<h2>{title}{side}</h2>", svg.curve(points, across, up)]
    return parts + _roofline(recording, arm, side)


def _curve(recording: Recording, metric: str, arm: str) -> list[svg.Point]:
    points = []
    for at, turns in recording.curve(metric, arm).items():
        found = resample.percentile(list(turns.values()), 50)
        value, low, high = found.value, found.low, found.high
        if metric == "prefill":
            value, low, high = (1000 * at / ms for ms in (value, high, low))
        points.append(svg.Point(at, value, low, high))
    return points


def _roofline(recording: Recording, arm: str, side: str) -> list[str]:
    """Each token is two operations a parameter; weights are read once a run."""
    limits = [
        resample.percentile(list(turns.values()), 50).value
        for name in ("reading limit", "dot product limit")
        if (turns := recording.turns(name, None, arm))
    ]
    of: Subject = recording.header.subjects[arm]
    if len(limits) < 2 or not of.weight_bytes:
        return []
    work = 2 * of.parameters
    points = {}
    for at, turns in list(recording.curve("time per token", arm).items())[:1]:
        ms = resample.percentile(list(turns.values()), 50).value
        points[f"decode behind {at}"] = (work / of.weight_bytes, work / ms / 1e6)
    for at, turns in recording.curve("prefill", arm).items():
        ms = resample.percentile(list(turns.values()), 50).value
        points[f"prefill {at}" if len(points) == 1 else f"{at}"] = (
            at * work / of.weight_bytes,
            at * work / ms / 1e6,
        )
    if not points:
        return []
    return [
        f"<h2>Roofline{side}</h2>",
        '<p class="soft">Billions of operations a second against operations a byte of weights, '
        "below what reading memory and int8 dot products reach on this machine. Attention is not "
        "counted as work, so long prompts lie lower than they are.</p>",
        svg.roofline(points, limits[0], limits[1], "GOP/s"),
    ]


def _table(recording: Recording, arm: str) -> str:
    head = "".join(
        f"<th>{column}</th>"
        for column in ("figure", "median", "95 %", "p95", "p99", "samples", "turns", "unit")
    )
    rows = []
    for f in figures.figures(recording, arm):
        cells = (
            f.name, number(f.median.value), f"{number(f.median.low)} – {number(f.median.high)}",
            number(f.p95.value), number(f.p99.value), str(f.samples), str(f.turns), f.unit,
        )  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
