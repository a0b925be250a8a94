"""An encoder's folder becomes a pack whose vectors are those of sentence-transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_encoder
from safetensors.numpy import load_file, save_file

import edgeward
from edgeward import manifest as m
from edgeward.errors import ContextOverflow, IntakeError, ModelClosed, OptionError
from edgeward.pack import Pack
from edgeward.quantize import encoders
from edgeward.quantize.convert_encoder import convert_encoder

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "golden" / "encoder.npz")
TEXTS = GOLDEN["texts"].tolist()
FLOAT32_VECTORS = 1e-5


def make(folder: Path, *, bits: int = 32, seed: int = 0, pooling: str = "mean") -> Path:
    model = tiny_encoder.write_folder(folder / "model", seed, pooling)
    convert_encoder(
        model,
        folder / "pack",
        name="tiny",
        source=m.Source(
            kind="path", reference="", file="model", format="safetensors", sha256="0" * 64
        ),
        licence="apache-2.0",
        tokenizer=(model / "tokenizer.json").read_bytes(),
        bits=bits,
    )
    return folder / "pack"


@pytest.mark.parametrize(("seed", "pooling"), [(0, "mean"), (1, "cls")])
def test_vectors_are_those_of_transformers(tmp_path: Path, seed: int, pooling: str) -> None:
    with edgeward.load(make(tmp_path, seed=seed, pooling=pooling)) as model:
        vectors = model.embed(TEXTS, truncate=True)
    assert vectors.dtype == np.float32
    assert np.abs(vectors - GOLDEN[pooling]).max() < FLOAT32_VECTORS


def test_eight_bits_point_the_same_way(tmp_path: Path) -> None:
    with edgeward.load(make(tmp_path, bits=8)) as model:
        vectors = model.embed(TEXTS, truncate=True)
    assert (vectors * GOLDEN["mean"]).sum(1).min() > 0.999


def test_batched_equals_alone_and_keeps_the_order(tmp_path: Path) -> None:
    texts = [" ".join(["river", "a", "of"][: n % 4] * (n % 3 + 1)) for n in range(300)]
    with edgeward.load(make(tmp_path)) as model:
        together = model.embed(texts)
        alone = np.concatenate([model.embed(text) for text in texts[:40]])
        assert model.embed([]).shape == (0, 64)
    assert together.shape == (300, 64)
    assert np.abs(together[:40] - alone).max() < FLOAT32_VECTORS


def test_a_text_is_never_cut_in_silence(tmp_path: Path) -> None:
    with edgeward.load(make(tmp_path)) as model:
        with pytest.raises(ContextOverflow, match=r"text 1 has 32 tokens; this model reads .* 12"):
            model.embed(["a", "light " * 30])
        cut, same = model.embed(["light " * 30, "light " * 10], truncate=True)
    assert np.abs(cut - same).max() < FLOAT32_VECTORS


def test_an_encoder_writes_nothing_and_says_so(tmp_path: Path) -> None:
    model = edgeward.load(make(tmp_path))
    with pytest.raises(OptionError, match="is an encoder"):
        model.generate("The")
    with pytest.raises(OptionError, match="is an encoder"):
        model.chat("Hello")
    with pytest.raises(OptionError, match=r"text 0 is a int"):
        model.embed([3])  # type: ignore[list-item]
    model.close()
    with pytest.raises(ModelClosed):
        model.embed("a")


def test_the_pack_says_what_it_is(tmp_path: Path) -> None:
    opened = Pack.open(make(tmp_path))
    assert opened.manifest.embedding == m.Embedding(
        dimension=64, longest=tiny_encoder.LONGEST, pooling="mean", normalized=True
    )
    assert "edgeward embed tiny" in opened.path("card.md").read_text()


def edit(**changes: Any) -> Callable[[Path], object]:
    return lambda f: (f / "config.json").write_text(json.dumps(tiny_encoder.config(**changes)))


def pooling(**modes: bool) -> Callable[[Path], object]:
    return lambda f: (f / "1_Pooling/config.json").write_text(json.dumps(modes))


def lose(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, folder / "model.safetensors")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "another activation": (edit(hidden_act="relu"), "'hidden_act' is 'relu'"),
    "relative positions": (edit(position_embedding_type="relative_key"), "'relative_key'"),
    "heads that do not divide": (edit(num_attention_heads=5), "'num_attention_heads' is 5"),
    "a billion layers": (edit(num_hidden_layers=10**9), "1000000000 layers"),
    "another width": (edit(hidden_size=32), "has the shape"),
    "a missing tensor": (lose, r"encoder\.layer\.1\.output\.dense\.bias"),
    "unknown pooling": (pooling(pooling_mode_max_tokens=True), "pooling_mode_max_tokens"),
    "two poolings": (
        pooling(pooling_mode_mean_tokens=True, pooling_mode_cls_token=True),
        "is not known",
    ),
    "an unknown module": (
        lambda f: (f / "modules.json").write_text('[{"type": "x.models.Dense", "path": "2"}]'),
        "the module 'Dense'",
    ),
    "modules that are no list": (lambda f: (f / "modules.json").write_text("{}"), "JSON list"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_refuses(tmp_path: Path, case: str) -> None:
    damage, message = BROKEN[case]
    damage(tiny_encoder.write_folder(tmp_path))
    with pytest.raises(IntakeError, match=message):
        encoders.read(tmp_path)
