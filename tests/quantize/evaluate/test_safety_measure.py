"""The figures of a safety check, against numbers worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from edgeward.cli.main import main
from edgeward.errors import EdgewardError, OptionError
from edgeward.quantize.evaluate import cli, safety_rows
from edgeward.quantize.evaluate.obfuscation import OBFUSCATIONS
from edgeward.quantize.evaluate.safety import (
    Rate,
    Sample,
    auc,
    calibration_error,
    measure,
    threshold,
)


class Given:
    """A check whose score is the number that a text starts with, or 0."""

    name = "given"

    def score_batch(self, texts: list[str]) -> np.ndarray:
        first = [text.split()[0] for text in texts]
        return np.array([float(word) if word[0] in "01" else 0.0 for word in first])


class Word:
    """A check that finds one word, and misses it in disguise."""

    name = "word"

    def score_batch(self, texts: list[str]) -> np.ndarray:
        return np.array([1.0 if "attack" in text.lower() else 0.0 for text in texts])


def samples() -> list[Sample]:
    safe = [Sample(f"{i / 1000} fine", 0, "calm", "a" if i < 50 else "b") for i in range(100)]
    unsafe = [Sample(f"{0.5 + i / 100} bad", 1, "wild") for i in range(10)]
    return [*safe, *unsafe, Sample("0.0 missed", 1, "wild")]


def test_a_threshold_flags_no_more_than_its_share() -> None:
    safe = np.arange(1000) / 1000
    for rate, flagged in ((0.01, 10), (0.05, 50), (0.0, 0)):
        assert (safe >= threshold(safe, rate)).sum() == flagged
    tied = np.full(100, 0.3)
    assert (tied >= threshold(tied, 0.05)).sum() == 0


def test_auc_counts_pairs_and_ties_half() -> None:
    assert auc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0])) == (2 + 1 + 0.5) / 4


def test_wilson_interval_is_that_of_the_literature() -> None:
    rate = Rate.measured(10, 100)
    assert (rate.share, round(rate.low, 4), round(rate.high, 4)) == (0.1, 0.0552, 0.1744)
    assert Rate.measured(0, 20).low == 0
    empty = Rate.measured(0, 0)
    assert math.isnan(empty.share)
    assert (empty.low, empty.high) == (0, 1)


def test_calibration_error_is_zero_where_scores_are_frequencies() -> None:
    scores = np.repeat([0.25, 0.75], 100)
    labels = np.concatenate([np.arange(100) < 25, np.arange(100) < 75]).astype(int)
    assert calibration_error(scores, labels) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.95), np.zeros(10, int)) == pytest.approx(0.95)


def test_sets_and_subgroups_are_measured_at_thresholds_of_all_safe_texts() -> None:
    figures = measure(Given(), samples(), most_obfuscated=0)
    calm, wild = figures.sets
    assert (calm.safe, calm.unsafe, wild.safe, wild.unsafe) == (100, 0, 0, 11)
    assert calm.flagged["5%"].count == 5
    assert wild.recall["1%"].count == 10
    assert wild.auc == pytest.approx((10 * 100 + 0.5) / 1100)
    assert figures.subgroups["b"]["5%"].count == 5
    assert figures.subgroups["a"]["5%"].count == 0
    assert figures.subgroup_gap["5%"] == pytest.approx(10.0)


def test_obfuscation_says_what_is_still_found_and_what_is_flagged_for_it() -> None:
    given = [Sample(f"attack number {i}", 1, "u") for i in range(30)]
    given += [Sample(f"calm number {i}", 0, "s") for i in range(30)]
    found = measure(Word(), given).obfuscation
    assert set(found) == set(OBFUSCATIONS)
    assert found["random case"] == {"recall_kept": 1.0, "safe_flagged": 0.0}
    assert found["full width"]["recall_kept"] == 0.0


def test_scores_out_of_range_and_of_the_wrong_shape_are_refused() -> None:
    class Wrong(Given):
        def score_batch(self, texts: list[str]) -> np.ndarray:
            return np.full(len(texts), 1.5)

    class Flat(Given):
        def score_batch(self, texts: list[str]) -> np.ndarray:
            return np.zeros((len(texts), 2))

    with pytest.raises(EdgewardError, match=r"gave 1\.5; scores lie in \[0, 1\]"):
        measure(Wrong(), samples())
    with pytest.raises(EdgewardError, match=r"gave shape \(111, 2\) for 111 texts"):
        measure(Flat(), samples())
    with pytest.raises(EdgewardError, match="needs safe"):
        measure(Given(), samples()[:100])


def test_rows_of_a_user_are_read_and_wrong_ones_named(tmp_path: Path) -> None:
    good = tmp_path / "mine.jsonl"
    good.write_text('{"text": "a", "label": 1}\n\n{"text": "b", "label": 0, "subgroup": "x"}\n')
    assert safety_rows.read([good]) == [Sample("a", 1, "mine"), Sample("b", 0, "mine", "x")]
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a", "label": 2}\n')
    with pytest.raises(EdgewardError, match=r"bad\.jsonl, line 1: needs a text .* label 2"):
        safety_rows.read([bad])
    bad.write_text("{")
    with pytest.raises(EdgewardError, match="cannot read labelled texts"):
        safety_rows.read([bad])
    with pytest.raises(EdgewardError, match="cannot read labelled texts"):
        safety_rows.read([tmp_path / "none.jsonl"])


@pytest.mark.parametrize("head", ["toxicity", "jailbreak"])
def test_made_samples_hold_both_labels_and_are_the_same_every_time(head: str) -> None:
    first = safety_rows.made(head)
    assert {sample.label for sample in first} == {0, 1}
    assert first == safety_rows.made(head)


def test_a_check_of_the_users_own_is_found_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_check_module.py").write_text(
        "class Check:\n"
        "    name = 'own'\n"
        "    def score_batch(self, texts):\n"
        "        return [1.0 if 'bad' in text else 0.0 for text in texts]\n"
        "check = Check()\nempty = object()\n"
    )
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps({"text": s.text, "label": s.label}) + "\n" for s in samples())
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["eval", "--safety", "own_check_module:check", "--data", str(rows), "--json"])
    assert left.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert said["check"] == "own"
    assert said["sets"][0]["recall"]["1%"]["count"] == 10
    with pytest.raises(OptionError, match="it has no name and no score_batch"):
        cli.find("own_check_module:empty")
    with pytest.raises(OptionError, match="give toxicity, jailbreak or module:object"):
        cli.find("wild")
    with pytest.raises(OptionError, match="No module named"):
        cli.find("no_such_module_here:check")
