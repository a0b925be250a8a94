"""`edgeward eval`: its figures are the definitions', its JSON is what the docs promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_encoder
import tiny_llama
from runner import Runner

from edgeward import manifest as m
from edgeward.cli import main
from edgeward.errors import OptionError
from edgeward.pack import Pack
from edgeward.quantize.convert_encoder import convert_encoder
from edgeward.quantize.evaluate import intervals, vectors
from edgeward.quantize.evaluate.divergence import continuations, divergence
from edgeward.quantize.evaluate.examine import examine
from edgeward.quantize.evaluate.pack import Text, evaluate_pack
from edgeward.quantize.evaluate.references import FloatReference
from edgeward.quantize.intake import read_model

TEXT = Text("words", " ".join(f"the river {n} of the capital house" for n in range(90)))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_pack(tmp_path_factory.mktemp("eval") / "p")


def source(pack: Path) -> Path:
    return pack.parent / "p.source"


def test_figures_are_those_of_evaluate_pack(pack: Path) -> None:
    found = examine(pack, source(pack), TEXT, window=128, graph="portable", greedy=False)
    expected = evaluate_pack(pack, source(pack), TEXT, window=128)
    assert (found.text.windows, found.text.positions) == (expected.windows, expected.positions)
    assert found.mean_kl is not None
    assert found.p99_kl is not None
    assert found.mean_kl.value == pytest.approx(expected.mean_kl)
    assert found.p99_kl.value == pytest.approx(expected.p99_kl)
    assert found.perplexity is not None
    assert found.reference_perplexity is not None
    assert found.perplexity.value == pytest.approx(expected.perplexity)
    assert found.reference_perplexity.value == pytest.approx(expected.reference_perplexity)
    for figure in (found.mean_kl, found.p99_kl, found.perplexity, found.top1_agreement):
        assert figure is not None
        assert figure.low <= figure.value <= figure.high


def test_a_pack_against_itself_loses_nothing(pack: Path) -> None:
    found = examine(pack, pack, TEXT, window=128)
    assert found.reference is not None
    assert found.reference.kind == "pack"
    assert found.mean_kl is not None
    assert found.mean_kl.value < 1e-6
    assert found.greedy is not None
    assert (found.greedy.same, found.greedy.mean.value) == (1.0, found.greedy.tokens)


def test_without_a_reference_there_is_perplexity(pack: Path) -> None:
    alone = examine(pack, None, TEXT, window=128)
    against = examine(pack, source(pack), TEXT, window=128, greedy=False)
    assert alone.mean_kl is None
    assert alone.greedy is None
    assert alone.perplexity == against.perplexity


def test_the_first_difference_is_that_of_two_continuations(pack: Path, tmp_path: Path) -> None:
    """Against the reference's own continuation, written token by token."""
    other = tiny_llama.write_pack(tmp_path / "float", bits=32)
    prompts = np.random.default_rng(0).integers(3, tiny_llama.VOCABULARY, (6, 64))
    opened = Pack.open(pack)
    graph = opened.manifest.graphs[0]
    mine = continuations(opened, graph, prompts[:, :32], 40)
    first = []
    for prompt, written in zip(prompts[:, :32], mine, strict=True):
        runner, ids = Runner(other), prompt
        alike = 0
        while alike < len(written) and int(runner.step(ids)[-1].argmax()) == written[alike]:
            ids = written[alike : alike + 1]
            alike += 1
        first.append(alike)
    found = divergence(opened, graph, FloatReference(read_model(source(pack))), prompts)
    assert found.tokens == 64
    assert min(first) < 40, "the two models never part: the test proves nothing"
    shown = np.minimum(first, 40)
    assert found.mean.value >= shown.mean()
    assert np.median(first) == min(40, found.median)


def test_an_encoder_keeps_its_order(tmp_path: Path) -> None:
    model = tiny_encoder.write_folder(tmp_path / "model")
    convert_encoder(
        model,
        tmp_path / "pack",
        name="tiny",
        source=m.Source(kind="path", reference="", file="m", format="safetensors", sha256="0" * 64),
        licence="apache-2.0",
        tokenizer=(model / "tokenizer.json").read_bytes(),
    )
    words = ["river", "house", "of", "the", "a", "water", "light", "capital"]
    lines = "\n".join(" ".join(np.roll(words, n)[: 5 + n % 3]) + " " * n for n in range(12))
    found = examine(tmp_path / "pack", model, Text("lines", lines)).vectors
    assert found is not None
    assert found.texts == 12
    assert 0.9 < found.rank_correlation.low <= found.rank_correlation.value <= 1
    assert 0.99 < found.min_cosine <= found.mean_cosine < 1.0001
    with pytest.raises(OptionError, match="give --reference"):
        examine(tmp_path / "pack")


def test_spearman_is_the_correlation_of_ranks() -> None:
    a = np.array([1, 2, 3, 4, 5], np.float32)
    assert vectors.spearman(a, np.exp(a)) == pytest.approx(1)
    assert vectors.spearman(a, -a) == pytest.approx(-1)
    # Ties share their rank: ranks of b are 1.5, 1.5, 3.5, 3.5, 5.
    b = np.array([0, 0, 1, 1, 2], np.float32)
    ranks = [1.5, 1.5, 3.5, 3.5, 5]
    assert vectors.spearman(a, b) == pytest.approx(np.corrcoef(a, ranks)[0, 1])


def test_intervals_cover_as_often_as_they_say() -> None:
    """Means and 90th percentiles of runs that are alike inside a block and not between."""
    random = np.random.default_rng(3)
    covered = np.zeros(2)
    for _ in range(40):
        values = np.repeat(random.standard_normal(40), intervals.BLOCK)
        values += random.standard_normal(values.size)
        mean, high = intervals.of_mean(values), intervals.of_percentile(values, 90)
        covered += [mean.low <= 0 <= mean.high, high.low <= 1.8124 <= high.high]
    assert (covered / 40 >= 0.85).all(), covered
    assert intervals.of_mean(values) == mean, "the same numbers, the same interval"


def test_json_has_the_promised_fields(pack: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "t.txt").write_text(TEXT.content)
    where = [str(pack), "--reference", str(source(pack)), "--text", str(tmp_path / "t.txt")]
    with pytest.raises(SystemExit, match="0"):
        main(["eval", *where, "--windows", "2", "--window", "64", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {
        "format", "edgeward", "pack", "text", "reference", "perplexity", "reference_perplexity",
        "mean_kl", "p99_kl", "top1_agreement", "greedy",
    }  # fmt: skip
    assert report["format"] == 1
    assert set(report["mean_kl"]) == {"value", "low", "high"}
    assert report["text"]["windows"] == 2
    with pytest.raises(SystemExit, match="0"):
        main(["eval", *where, "--windows", "2", "--window", "64"])
    assert "mean KL" in capsys.readouterr().out


def test_a_model_that_is_no_pack_is_measured_as_it_is(pack: Path) -> None:
    (source(pack) / "tokenizer.json").write_bytes(tiny_llama.tokenizer_json())
    found = examine(source(pack), source(pack), TEXT, window=128)
    assert found.pack.graph == "float32"
    assert found.pack.bytes == found.pack.weight_bytes > 0
    assert found.mean_kl is not None
    assert found.mean_kl.value < 1e-6


def test_wrong_questions(pack: Path, tmp_path: Path) -> None:
    other = tiny_llama.write_folder(tmp_path / "wide", vocab_size=tiny_llama.VOCABULARY + 8)
    with pytest.raises(OptionError, match="not the same model"):
        examine(pack, other, TEXT)
    with pytest.raises(OptionError, match="windows=0"):
        examine(pack, None, TEXT, windows=0)
    with pytest.raises(OptionError, match="the pack has 'portable'"):
        examine(pack, None, TEXT, graph="magic")
