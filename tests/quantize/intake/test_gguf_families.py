"""A GGUF file of any family means the same model as its Hugging Face folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gguf
import gguf_families
import numpy as np
import pytest
import tiny_families

from edgeward.quantize.architecture import Architecture, Rope
from edgeward.quantize.families import FAMILIES
from edgeward.quantize.graph.rope import inverse_frequencies
from edgeward.quantize.intake import read_model
from edgeward.quantize.weights import all_floats

GOLDENS = np.load(Path(__file__).parents[2] / "data" / "golden" / "families.npz")
# What GGUF cannot say: a list of layers, windows that llama.cpp ignores, the new form of config.
SKIPPED = {"smollm3_listed", "qwen2_window", "mistral_window", "llama_new_form", "gemma3_new_form"}
# Gemma's scale follows from the head's size in GGUF files.
OWN_SCALE = {"gemma2", "gemma3"}


@pytest.mark.parametrize("case", [case for case in tiny_families.CASES if case not in SKIPPED])
def test_equals_the_folder(case: str, tmp_path: Path) -> None:
    shapes = json.loads(GOLDENS[f"{case}.shapes"].tobytes())
    settings = tiny_families.settings(case)
    tensors = tiny_families.tensors(shapes, 3)
    theirs = read_model(tiny_families.write_folder(tmp_path / "hf", case, shapes, 3))
    mine = read_model(gguf_families.write(tmp_path / "m.gguf", settings, tensors))
    assert mine.tensors.keys() == theirs.tensors.keys()
    for name, tensor in theirs.tensors.items():
        np.testing.assert_allclose(all_floats(mine.tensors[name]), all_floats(tensor), rtol=1e-6)
    same(mine.architecture, theirs.architecture, case)


def same(mine: Architecture, theirs: Architecture, case: str) -> None:
    if case in OWN_SCALE:
        assert mine.attention_scale is None
        mine = replace(mine, attention_scale=theirs.attention_scale)
    assert mine.attention_scale == pytest.approx(theirs.attention_scale)
    assert mine.norm_epsilon == pytest.approx(theirs.norm_epsilon)
    for layer in range(mine.layers):
        one, two = mine.attention(layer), theirs.attention(layer)
        assert one.window == two.window
        same_rope(one.rope, two.rope, mine.head_dim)
    plain = {
        "family": "",
        "rope": Rope(1.0),
        "attentions": (),
        "attention_scale": None,
        "norm_epsilon": 0.0,
    }
    assert replace(mine, **plain) == replace(theirs, **plain)  # type: ignore[arg-type]


def same_rope(one: Rope | None, two: Rope | None, head_dim: int) -> None:
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        frequencies = (inverse_frequencies(rope, head_dim) for rope in (one, two))
        np.testing.assert_allclose(*frequencies, rtol=1e-6)
        assert one.scale == pytest.approx(two.scale)


def test_names_are_those_of_the_gguf_package() -> None:
    known = gguf.MODEL_ARCH_NAMES
    for family in FAMILIES:
        for architecture in family.gguf_architectures:
            kind = next(k for k, name in known.items() if name == architecture)
            theirs = {gguf.TENSOR_NAMES[tensor] for tensor in gguf.MODEL_TENSORS[kind]}
            mine = {
                name.replace("{layer}", "{bid}").rpartition(".")[0]
                for name in family.gguf_names.values()
            }
            # Gemma's heads are always tied; a file with one of its own is none of llama.cpp's.
            assert mine - {"output"} <= theirs, (architecture, mine - theirs)
