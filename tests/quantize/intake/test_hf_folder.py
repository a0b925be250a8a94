"""A Hugging Face folder is read whole, in shards and in halves, or refused with a reason."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_llama
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from edgeward.errors import IntakeError
from edgeward.quantize.intake import read_model
from edgeward.quantize.weights import all_floats

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def shard(folder: Path) -> None:
    """Split the weights in two files and an index."""
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    parts = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for file, of in parts.items():
        save_file({name: tensors[name] for name in of}, folder / file)
    index = {name: file for file, of in parts.items() for name in of}
    (folder / INDEX).write_text(json.dumps({"weight_map": index}))
    (folder / WEIGHTS).unlink()


def test_shards_equal_one_file(tmp_path: Path) -> None:
    whole = read_model(tiny_llama.write_folder(tmp_path / "a"))
    shard(tiny_llama.write_folder(tmp_path / "b"))
    parts = read_model(tmp_path / "b")
    for name, tensor in whole.tensors.items():
        np.testing.assert_array_equal(all_floats(parts.tensors[name]), all_floats(tensor))


def write_raw(path: Path, dtype: str, convert: Callable[[Any], bytes], tensors: Any) -> None:
    """safetensors by hand: the numpy package knows no bfloat16."""
    header, data = {}, b""
    for name, values in tensors.items():
        raw = convert(values)
        header[name] = {
            "dtype": dtype,
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


HALVES: dict[str, tuple[Callable[[Any], bytes], float]] = {
    "BF16": (lambda v: (v.view(np.uint32) >> 16).astype(np.uint16).tobytes(), 2**-7),
    "F16": (lambda v: v.astype(np.float16).tobytes(), 2**-10),
}


@pytest.mark.parametrize("dtype", HALVES)
def test_halves_are_read_as_they_are(tmp_path: Path, dtype: str) -> None:
    folder = tiny_llama.write_folder(tmp_path)
    convert, precision = HALVES[dtype]
    tensors = load_file(folder / WEIGHTS)
    write_raw(folder / WEIGHTS, dtype, convert, tensors)
    weights = read_model(folder)
    for ours, theirs in (("layers.1.k", "model.layers.1.self_attn.k_proj.weight"),):
        tensor = weights.tensors[ours]
        assert tensor.storage == dtype
        np.testing.assert_allclose(all_floats(tensor), tensors[theirs], rtol=precision, atol=1e-4)


def edit_config(**changes: Any) -> Callable[[Path], object]:
    return lambda folder: (folder / "config.json").write_text(
        json.dumps({**tiny_llama.config(), **changes})
    )


def edit_tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS)

    return edit


def lose_a_shard(folder: Path) -> None:
    shard(folder)
    (folder / "two.safetensors").unlink()


def point_outside(folder: Path) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "../../model.safetensors"}}))


def cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-4])


NORM = "model.norm.weight"
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), r"has no config\.json"),
    "a config that is no JSON": (lambda f: (f / "config.json").write_text("{"), "is not JSON"),
    "a config that is a list": (lambda f: (f / "config.json").write_text("[]"), "JSON object"),
    "another family": (edit_config(model_type="mamba"), "model_type 'mamba'"),
    "biases that are not there": (edit_config(attention_bias=True), r"lacks .*q_proj\.bias"),
    "a flag as text": (edit_config(mlp_bias="no"), "'mlp_bias' is 'no'"),
    "another activation": (edit_config(hidden_act="gelu"), "'hidden_act' is 'gelu'"),
    "unknown rope": (edit_config(rope_scaling={"rope_type": "ntk"}), "'rope_type' is 'ntk'"),
    "layers of lists": (edit_config(layer_types=[[], {}]), r"'layer_types' is \[\[\], \{\}\]"),
    "a rope that is a list": (edit_config(rope_scaling=[1]), "'rope_scaling' is"),
    "a kind of rope that is a list": (
        edit_config(rope_scaling={"rope_type": ["x"]}),
        "'rope_type' is",
    ),
    "no heads": (edit_config(num_attention_heads=0), "'num_attention_heads' is 0"),
    "layers as text": (edit_config(num_hidden_layers="2"), "'num_hidden_layers' is '2'"),
    "a billion layers": (edit_config(num_hidden_layers=10**9), "1000000000 layers"),
    "a lesser vocabulary": (edit_config(vocab_size=300), "embed_tokens.weight' has the shape"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "model.safetensors is missing"),
    "empty weights": (lambda f: (f / WEIGHTS).write_bytes(b""), "is empty"),
    "cut weights": (cut, "cut off or damaged"),
    "no safetensors": (lambda f: (f / WEIGHTS).write_bytes(b"PK" * 99), "no safetensors file"),
    "a missing tensor": (edit_tensors(lambda t: t.pop(NORM)), "lacks the tensors 'model.norm"),
    "an unknown tensor": (
        edit_tensors(lambda t: t.update({"extra.weight": np.ones(3, np.float32)})),
        r"extra\.weight",
    ),
    "a missing shard": (lose_a_shard, r"two\.safetensors is missing"),
    "an index that points outside": (point_outside, r"'\.\./\.\./model\.safetensors'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_refuses(tmp_path: Path, case: str) -> None:
    damage, message = BROKEN[case]
    damage(tiny_llama.write_folder(tmp_path))
    with pytest.raises(IntakeError, match=message):
        read_model(tmp_path)


def test_a_folder_with_a_finished_graph_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "genai_config.json").write_text("{}")
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(IntakeError, match=r"holds a finished graph \(model\.onnx\)"):
        read_model(tmp_path)


def test_refuses_nan(tmp_path: Path) -> None:
    def spoil(tensors: dict[str, Any]) -> None:
        tensors[NORM][5] = np.nan

    edit_tensors(spoil)(tiny_llama.write_folder(tmp_path))
    weights = read_model(tmp_path)
    with pytest.raises(IntakeError, match=r"model\.norm\.weight' holds NaN"):
        all_floats(weights.tensors["final_norm"])


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
JUNK = st.sampled_from(
    [None, True, -1, 1 << 70, 0.5, "x", [], {}, [1, 2, 3], [-8, 0], ["a", "b"], [[0], 8], "F99"]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(key=st.sampled_from(sorted(ENTRY)), value=JUNK, whole=st.booleans())
def test_false_entries_are_an_intake_error(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any, whole: bool
) -> None:
    folder = tmp_path_factory.mktemp("hf")
    (folder / "config.json").write_text(json.dumps(tiny_llama.config()))
    text = json.dumps({NORM: value if whole else {**ENTRY, key: value}}).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(IntakeError):
        read_model(folder)
