"""The sampling bench checks before it times, takes turns, and says what is missing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeward.bench.suites import model_logits
from edgeward.bench.suites import sampling as suite
from edgeward.errors import EdgewardError
from edgeward.kernels import reference
from edgeward.model import Model

QUICK = suite.Setting(
    vocabularies=(600,), rounds=2, budget_s=0.0005, peers=("numpy", "flashinfer", "torch")
)


def quiet(phase: str, done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture(scope="module")
def cases() -> list[suite.Case]:
    return suite.run(QUICK, quiet)


def test_every_case_has_our_figures_and_the_yardsticks(cases: list[suite.Case]) -> None:
    assert [case.case for case in cases] == list(suite.CASES)
    for case in cases:
        ours, yardstick = (
            next(f for f in case.tools if f.tool == tool) for tool in (suite.OURS, suite.YARDSTICK)
        )
        assert ours.step is not None
        assert ours.step.low > 0
        assert yardstick.passes is not None
        assert yardstick.passes.median == 1
        assert ours.ratio is not None
        assert ours.ratio.median == 1


def test_results_can_be_written_as_json(cases: list[suite.Case]) -> None:
    text = json.dumps([dataclasses.asdict(case) for case in cases])
    assert json.loads(text)[0]["tools"][0]["tool"] == suite.OURS


def test_what_a_history_adds_is_measured_beside_the_step_without(cases: list[suite.Case]) -> None:
    for case in cases:
        assert (case.tools[0].added is not None) == ("penalties" in case.case)


def test_peers_draw_possible_tokens_or_say_what_they_lack(cases: list[suite.Case]) -> None:
    for case in cases:
        figures = {f.tool: f for f in case.tools}
        if "typical" in case.case or "penalties" in case.case:
            assert "it has no" in figures["numpy"].missing
        else:
            assert figures["numpy"].drawn > 0
            assert figures["numpy"].impossible == 0
        assert figures["flashinfer"].missing


def test_a_twin_that_disagrees_stops_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, logits: Any, position: int) -> int:
        return 599

    monkeypatch.setattr(reference.Sampler, "sample", wrong)
    with pytest.raises(EdgewardError, match=r"its twin .*; nothing was timed"):
        suite.run(QUICK, quiet)


def test_tokens_that_cannot_be_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # To a twin that allows one token only, what numpy draws freely is impossible.
    strict = suite.Setting(vocabularies=(600,), rounds=1, budget_s=0.0005, peers=("numpy",))
    monkeypatch.setattr(suite, "CASES", {"temperature": {"temperature": 2.0}})

    def only_one(self: Any, logits: Any) -> Any:
        return np.arange(600) == 0

    monkeypatch.setattr(reference.Sampler, "probabilities", only_one)
    case = suite.run(strict, quiet)[0]
    assert next(f for f in case.tools if f.tool == "numpy").impossible > 100


def test_logits_from_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "row.npy", np.random.default_rng(0).normal(0, 2, 300).astype(np.float32))
    setting = suite.Setting(
        vocabularies=(), rounds=1, budget_s=0.0005, peers=(), logits=(str(tmp_path / "row.npy"),)
    )
    found = suite.run(setting, quiet)
    assert {(case.vocabulary, case.kind) for case in found} == {(300, "row.npy")}
    np.save(tmp_path / "bad.npy", np.zeros((2, 3)))
    bad = suite.Setting(vocabularies=(), logits=(str(tmp_path / "bad.npy"),))
    with pytest.raises(EdgewardError, match="holds float64 of shape"):
        suite.run(bad, quiet)


def test_logits_of_a_model_are_rows_of_its_tokens(
    tiny_pack: Path, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = dict(model_logits.rows(str(tiny_pack)))
    assert list(rows) == list(model_logits.PROMPTS)
    for prompt, row in rows.items():
        assert row.shape == (tiny_model.tokenizer.vocab_size,)
        text = model_logits.PROMPTS[prompt]
        greedy = tiny_model.generate(text, temperature=0, max_tokens=1, ignore_eos=True)
        assert int(row.argmax()) == greedy.token_ids[0]
    monkeypatch.setattr(suite, "CASES", {"top-p .9": {"top_p": 0.9}})
    setting = dataclasses.replace(QUICK, vocabularies=(), model=str(tiny_pack), peers=())
    kinds = {case.kind for case in suite.run(setting, quiet)}
    assert kinds == {f"{tiny_pack}, {prompt}" for prompt in rows}
