"""Reports of a recording: all figures are in them, the page is whole and loads nothing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import recorded
from typer.testing import CliRunner

from edgeward.bench import figures, resample
from edgeward.bench.cli import app
from edgeward.bench.reports import html, llama_bench, markdown, svg
from edgeward.errors import EdgewardError


class _Page(HTMLParser):
    """Tags that are open at the end, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta",):
            self.open.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    text = html.page(recorded.alone(1))
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.links == []
    assert "http" not in text
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text
    assert "made by hand &lt;here&gt;" in text


def test_every_plot_is_drawn_inside_its_frame() -> None:
    text = html.page(recorded.alone(1))
    drawings = [part.split("</svg>")[0] + "</svg>" for part in text.split("<svg")[1:]]
    labels = []
    for drawing in drawings:
        tree = ET.fromstring("<svg" + drawing)
        labels.append(tree.attrib["aria-label"])
        width, height = (float(n) for n in tree.attrib["viewBox"].split()[2:])
        for element in tree.iter():
            for name in ("cx", "x1", "x2", "x"):
                assert 0 <= float(element.get(name, 0)) <= width
            for name in ("cy", "y1", "y2", "y"):
                assert 0 <= float(element.get(name, 0)) <= height
    assert labels == [
        "box plots in ms", "tokens/s by tokens of the prompt", "ms a token by tokens before",
        "roofline",
    ]  # fmt: skip


def test_a_group_with_a_long_tail_stays_inside() -> None:
    groups = {"tail": [1.0] * 8 + [50.0, 90.0], "many": [1.0] * 5000}
    tree = ET.fromstring(svg.boxes(groups, "ms"))
    assert max(float(e.get(n, 0)) for e in tree.iter() for n in ("x1", "x2", "cx")) <= svg.WIDTH


def test_both_sides_of_an_ab_are_shown() -> None:
    text = html.page(recorded.in_turns(1, {"time per token": 1.1}, blocks=8))
    assert "All figures: a: made" in text
    assert "All figures: b: made" in text


def test_llama_bench_rows_are_tokens_a_second() -> None:
    recording = recorded.alone(1)
    rows = llama_bench.text(recording).splitlines()[2:]
    assert len(rows) == 6
    cells = [cell.strip() for cell in rows[1].split("|")[1:-1]]
    assert cells[5] == "pp128"
    mean, deviation = (float(n) for n in cells[6].split(" ± "))
    speeds = [1000 * 128 / v for values in recording.turns("prefill", 128).values() for v in values]
    assert mean == pytest.approx(np.mean(speeds), abs=0.01)
    assert deviation == pytest.approx(np.std(speeds, ddof=1), abs=0.01)
    assert "tg12 @ d16" in rows[3]


def test_llama_bench_needs_curves() -> None:
    with pytest.raises(EdgewardError, match="no curves"):
        llama_bench.text(recorded.in_turns(1, {"prefill": 1.0}, blocks=2))


def test_markdown_has_a_row_for_every_figure_and_says_what_is_missing() -> None:
    recording = recorded.alone(1)
    recording.seconds = None
    text = markdown.text(recording)
    assert all(f"| {figure.name} |" in text for figure in figures.figures(recording))
    assert "- interrupted: this recording is partial." in text


def test_the_command_writes_each_form(tmp_path: Path) -> None:
    file, page = tmp_path / "r.jsonl", tmp_path / "r.html"
    recorded.alone(1, file=file)
    for form, word in (
        ("table", "first token, chat"),
        ("markdown", "###"),
        ("llama-bench", "pp16"),
    ):
        said = CliRunner().invoke(app, ["report", str(file), "--format", form, "--html", str(page)])
        assert said.exit_code == 0, said.output
        assert word in said.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    said = CliRunner().invoke(app, ["report", str(file), "--format", "json"])
    made = json.loads(said.stdout)
    assert made["complete"]
    assert made["figures"][""][0]["median"]["low"] <= made["figures"][""][0]["median"]["value"]


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        # Samples of a turn are alike: a bootstrap over samples would be far too sure.
        turns = [(random.normal(0, 1) + random.normal(0, 0.2, 10)).tolist() for _ in range(40)]
        found = resample.percentile(turns, 50)
        covered += found.low <= 0 <= found.high
    assert covered >= 88


def test_percentiles_look_at_the_bad_end() -> None:
    found = {figure.name: figure for figure in figures.figures(recorded.alone(1))}
    assert found["time per token at 16"].p99.value > found["time per token at 16"].median.value
    assert found["throughput at 1"].p99.value <= found["throughput at 1"].median.value
