"""The measured loss is the true one: against definitions, and against the float32 graph itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_llama
from runner import Runner

from edgeward.errors import OptionError
from edgeward.quantize.evaluate.losses import compare
from edgeward.quantize.evaluate.measure import cut, evaluate_windows, measure
from edgeward.quantize.evaluate.pack import Text, builtin_text, evaluate_pack, read_text
from edgeward.quantize.evaluate.reference import LayeredReference
from edgeward.quantize.intake import read_model

FLOAT32_LOGITS = 1e-4
# KL of a model with its own twin: what rounding its log-probabilities to float32 leaves.
SAME_KL = 1e-6

SHAPES: dict[str, dict[str, object]] = {
    "tied": {},
    "untied": {"tie_word_embeddings": False},
    "scaled": {"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "num_key_value_heads": 1},
}


def test_losses_follow_their_definitions() -> None:
    random = np.random.default_rng(0)
    p, q = random.standard_normal((2, 6, 11)).astype(np.float32) * 3
    following = np.array([1, 5, 10, 0, 3])
    probabilities = [
        np.exp(x.astype(float)) / np.exp(x.astype(float)).sum(1, keepdims=True) for x in (p, q)
    ]
    losses = compare(p.copy(), q.copy(), following)
    kl = (probabilities[0] * np.log(probabilities[0] / probabilities[1])).sum(1)
    np.testing.assert_allclose(losses.kl, kl, atol=1e-6)
    np.testing.assert_array_equal(losses.same_choice, p.argmax(1) == q.argmax(1))
    at = np.arange(5)
    np.testing.assert_allclose(losses.nll, -np.log(probabilities[1][at, following]), atol=1e-5)
    np.testing.assert_allclose(
        losses.reference_nll, -np.log(probabilities[0][at, following]), atol=1e-5
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_layer_by_layer_equals_the_float32_graph(tmp_path: Path, shape: str) -> None:
    pack = tiny_llama.write_pack(tmp_path / "p", bits=32, **SHAPES[shape])
    weights = read_model(tmp_path / "p.source")
    windows = np.random.default_rng(1).integers(0, tiny_llama.VOCABULARY, (3, 40))
    reference = LayeredReference(weights)
    hidden = reference.hidden(windows, 10)
    for ids, states in zip(windows, hidden, strict=True):
        expected = Runner(pack).step(ids, 10)
        assert np.abs(reference.logits(states) - expected).max() < FLOAT32_LOGITS


def test_a_float32_pack_loses_nothing(tmp_path: Path) -> None:
    pack = tiny_llama.write_pack(tmp_path / "p", bits=32)
    windows = np.random.default_rng(1).integers(0, tiny_llama.VOCABULARY, (2, 64))
    losses = evaluate_windows(read_model(tmp_path / "p.source"), pack / "portable.onnx", windows)
    assert losses.kl.max() < SAME_KL
    assert losses.same_choice.all()
    assert losses.kl.size == 2 * 32
    assert losses.nll.size == losses.reference_nll.size == 2 * 31
    np.testing.assert_allclose(losses.nll, losses.reference_nll, atol=1e-4)


def test_the_loss_of_eight_bits_is_found(tmp_path: Path) -> None:
    pack = tiny_llama.write_pack(tmp_path / "p", evaluate=True)
    seen: list[tuple[int, int]] = []
    found = evaluate_pack(
        pack, tmp_path / "p.source", windows=2, progress=lambda *at: seen.append(at)
    )
    assert (found.windows, found.window, found.positions) == (2, 512, 512)
    assert 1e-6 < found.mean_kl < found.p99_kl < 0.1
    assert 0.8 < found.top1_agreement < 1
    assert found.perplexity == pytest.approx(found.reference_perplexity, rel=0.02)
    assert seen == [(done, 4) for done in range(1, 5)]


def test_a_text_shorter_than_a_window_is_read_as_one(tmp_path: Path) -> None:
    pack = tiny_llama.write_pack(tmp_path / "p")
    found = evaluate_pack(pack, tmp_path / "p.source", Text("short", "The river is wide." * 4))
    assert found.windows == 1
    assert found.text == "short"
    with pytest.raises(OptionError, match="has 0 tokens"):
        evaluate_pack(pack, tmp_path / "p.source", Text("empty", ""))


def test_windows_follow_each_other() -> None:
    np.testing.assert_array_equal(cut(range(11), 4), [[0, 1, 2, 3], [4, 5, 6, 7]])
    np.testing.assert_array_equal(cut(range(11), 4, most=1), [[0, 1, 2, 3]])


@pytest.mark.parametrize("window", [1, 513])
def test_a_window_must_fit_the_context(tmp_path: Path, window: int) -> None:
    weights = read_model(tiny_llama.write_folder(tmp_path))
    with pytest.raises(OptionError, match=f"window={window} must lie in 2 .. 512"):
        measure(weights, tmp_path, [1] * 999, text="", text_sha256="0" * 64, window=window)


def test_texts(tmp_path: Path) -> None:
    assert 8_000 < len(builtin_text().content) < 10_000
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(OptionError, match="is not UTF-8"):
        read_text(tmp_path / "latin1.txt")
    with pytest.raises(OptionError, match="cannot be read"):
        read_text(tmp_path / "absent.txt")
