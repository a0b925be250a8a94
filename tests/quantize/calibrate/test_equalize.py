"""Balanced weights compute the same function, are balanced, and lose less when rounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_llama
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from edgeward.quantize.calibrate import passages
from edgeward.quantize.calibrate.equalize import equalize
from edgeward.quantize.calibrate.statistics import input_rms
from edgeward.quantize.convert import convert
from edgeward.quantize.evaluate.measure import evaluate_windows
from edgeward.quantize.evaluate.reference import LayeredReference
from edgeward.quantize.intake import read_model
from edgeward.quantize.weights import Weights, all_floats
from edgeward.tokenizer import Tokenizer

# Float32 sums in another order, in logits of spread 1.5.
SAME_LOGITS = 2e-4

SHAPES: dict[str, dict[str, object]] = {
    "grouped": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "one key": {"num_attention_heads": 4, "num_key_value_heads": 1},
    "all keys": {"num_attention_heads": 4, "num_key_value_heads": 4},
}


def ids(seed: int = 1) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(3, tiny_llama.VOCABULARY, (3, 24))


def with_outliers(folder: Path) -> Path:
    """The model with a few channels thirty times as large after each norm, as real ones have."""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    for name, values in tensors.items():
        if name.endswith("layernorm.weight"):
            values[np.arange(5, len(values), 23)] *= 30
    file.unlink()
    save_file(tensors, file)
    return folder


@pytest.fixture(params=SHAPES, scope="module")
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    folder = tmp_path_factory.mktemp("model")
    return read_model(
        with_outliers(tiny_llama.write_folder(folder, seed=4, **SHAPES[request.param]))
    )


def test_the_function_stays_the_same(weights: Weights) -> None:
    balanced = equalize(weights, input_rms(weights, ids()))
    before, after = LayeredReference(weights), LayeredReference(balanced)
    other = ids(seed=2)
    hidden = before.hidden(other, 0)
    assert np.abs(hidden).max() > 1
    np.testing.assert_allclose(after.hidden(other, 0), hidden, atol=SAME_LOGITS)


def spread(weights: Weights) -> dict[str, float]:
    """For each input the largest ratio of two channels' (rms / rms of the column)."""
    inputs = input_rms(weights, ids())
    found = {}
    for layer in range(weights.architecture.layers):
        at = f"layers.{layer}"
        for name, readers in (("qkv", "qkv"), ("mlp", ("gate", "up")), ("down", ("down",))):
            matrices = [all_floats(weights.tensors[f"{at}.{n}"]) for n in readers]
            columns = np.sqrt(np.mean([np.square(m).mean(0) for m in matrices], axis=0))
            ratio = inputs[f"{at}.{name}"] / columns
            found[f"{at}.{name}"] = float(ratio.max() / ratio.min())
    return found


def test_inputs_and_columns_vary_alike_afterwards(weights: Weights) -> None:
    before = spread(weights)
    after = spread(equalize(weights, input_rms(weights, ids())))
    assert max(before.values()) > 20
    # Not exactly 1: the rows of v and up are scaled after their columns were measured.
    assert max(after.values()) < 1.5


def test_what_was_seen_is_what_the_layer_reads(weights: Weights) -> None:
    """The first layer's input, worked out by hand."""
    x = all_floats(weights.tensors["embedding"])[ids()]
    norm = all_floats(weights.tensors["layers.0.attention_norm"]).ravel()
    epsilon = weights.architecture.norm_epsilon
    normed = x / np.sqrt(np.square(x).mean(-1, keepdims=True) + epsilon) * norm
    expected = np.sqrt(np.square(normed).mean((0, 1)))
    np.testing.assert_allclose(input_rms(weights, ids())["layers.0.qkv"], expected, rtol=1e-5)


def test_silent_channels_are_left_finite(weights: Weights) -> None:
    rms = {name: np.zeros_like(v) for name, v in input_rms(weights, ids()).items()}
    balanced = equalize(weights, rms)
    for tensor in balanced.tensors.values():
        assert np.isfinite(all_floats(tensor)).all()


def test_rounding_loses_much_less_after_it(tmp_path: Path) -> None:
    model = with_outliers(tiny_llama.write_folder(tmp_path / "model", seed=4))
    losses = {}
    for calibrate in (False, True):
        pack = tmp_path / f"pack{calibrate}"
        convert(
            model,
            pack,
            name="x",
            source=tiny_llama.source(model),
            licence="x",
            tokenizer=tiny_llama.tokenizer_json(),
            chat_template=tiny_llama.TEMPLATE,
            generation=tiny_llama.m.Generation(stop_ids=[2]),
            calibrate=calibrate,
            evaluate=False,
        )
        windows = np.random.default_rng(9).integers(3, tiny_llama.VOCABULARY, (4, 64))
        found = evaluate_windows(read_model(model), pack / "portable.onnx", windows)
        losses[calibrate] = float(found.kl.mean())
    assert losses[True] < losses[False] / 2


def test_passages_are_windows_of_one_length_in_chat_form() -> None:
    plain = Tokenizer(tiny_llama.tokenizer_json())
    chat = Tokenizer(tiny_llama.tokenizer_json(), chat_template=tiny_llama.TEMPLATE)
    assert passages.windows(plain, 512).shape == (8, 192)
    assert passages.windows(plain, 20).shape == (8, 20)
    first = passages.windows(chat, 512)[0]
    assert first[0] == plain.token_to_id("<|im_start|>")
    assert plain.decode([int(i) for i in first]).startswith("user\nHow does a bicycle")
