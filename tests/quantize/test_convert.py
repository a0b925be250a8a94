"""A conversion gives a whole pack or leaves everything as it was."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_llama

from edgeward import manifest as m
from edgeward.errors import IntakeError, OptionError, TokenizerError
from edgeward.pack import Pack
from edgeward.quantize.convert import convert
from edgeward.quantize.graph.data_file import DataFile


def run(model: Path, out: Path, **changes: Any) -> m.Manifest:
    options: dict[str, Any] = {
        "name": "tiny",
        "source": tiny_llama.source(model),
        "licence": "apache-2.0",
        "tokenizer": tiny_llama.tokenizer_json(),
        "chat_template": tiny_llama.TEMPLATE,
        "generation": m.Generation(stop_ids=[2], temperature=0.2),
        "evaluate": False,
        **changes,
    }
    return convert(model, out, **options)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_folder(tmp_path_factory.mktemp("source") / "model", head_dim=32)


def test_the_pack_opens_and_says_what_it_is(model: Path, tmp_path: Path) -> None:
    returned = run(model, tmp_path / "pack", evaluate=True)
    opened = Pack.open(tmp_path / "pack")
    assert opened.manifest == returned
    assert opened.template == tiny_llama.TEMPLATE
    assert returned.architecture.vocabulary == tiny_llama.VOCABULARY
    assert returned.evaluation is not None
    portable, fused = returned.graphs
    assert (portable.kind, fused.kind, fused.cache_type) == ("portable", "fused", "float16")
    assert fused.evaluation is not None
    assert fused.evaluation != returned.evaluation
    assert fused.quantization[0].scheme == "q8_0, nearest from F32"
    card = opened.path("card.md").read_text()
    for said in ("apache-2.0", "| mlp down | 2 | 8 | 32 |", f"{returned.evaluation.mean_kl:.4f}"):
        assert said in card


def test_a_base_model_has_no_template(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path / "pack", chat_template=None)
    assert Pack.open(tmp_path / "pack").template is None


def test_progress_is_told_in_order(model: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    run(
        model,
        tmp_path / "pack",
        evaluate=True,
        progress=lambda stage, done, total, unit="items": told.append((stage, done, total)),
    )
    assert [done for stage, done, _ in told if stage == "weights"] == [1, 2]
    measured = [(done, total) for stage, done, total in told if stage == "measure"]
    assert [done for done, _ in measured] == list(range(1, measured[0][1] + 1))


def test_an_existing_pack_is_replaced_whole(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    run(model, out, chat_template=None)
    (out / "stray.txt").write_text("left by somebody")
    run(model, out)
    assert not (out / "stray.txt").exists()
    assert Pack.open(out).template is not None
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("failure", ["interrupt", "full disk", "failed replacement"])
def test_a_failure_leaves_nothing_behind_and_nothing_lost(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str, existing: bool
) -> None:
    out = tmp_path / "pack"
    before = None
    if existing:
        run(model, out)
        before = Pack.open(out).sha256
    options: dict[str, Any] = {}
    if failure == "interrupt":
        options["progress"] = interrupt
    elif failure == "full disk":
        monkeypatch.setattr(DataFile, "write", no_space)
    else:
        monkeypatch.setattr("edgeward.quantize.pack._replace", no_space)
    with pytest.raises((KeyboardInterrupt, OSError)):
        run(model, out, **options)
    assert [path.name for path in tmp_path.iterdir()] == (["pack"] if existing else [])
    if existing:
        assert Pack.open(out).sha256 == before


def test_a_replacement_that_fails_half_way_is_undone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    out = tmp_path / "pack"
    run(model, out)
    before = Pack.open(out).sha256
    really = os.replace

    def fails_into_place(source: Path, target: Path) -> None:
        if target == out and ".new" in Path(source).name:
            raise OSError(errno.EIO, "Input/output error")
        really(source, target)

    monkeypatch.setattr("edgeward.quantize.pack.os.replace", fails_into_place)
    with pytest.raises(OSError, match="Input/output"):
        run(model, out)
    assert Pack.open(out).sha256 == before
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_refuses_other_bits(model: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"bits=3 is not known; choose one of \(8, 32\)"):
        run(model, tmp_path / "pack", bits=3)


def test_refuses_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    small = tiny_llama.write_folder(tmp_path / "small", vocab_size=300)
    with pytest.raises(IntakeError, match=r"the tokenizer has \d+ ids, .* only 300 rows"):
        run(small, tmp_path / "pack")
    with pytest.raises(TokenizerError):
        run(small, tmp_path / "pack", tokenizer=b"{}")
    assert not (tmp_path / "pack").exists()


def test_refuses_rows_that_make_no_whole_blocks(tmp_path: Path) -> None:
    odd = tiny_llama.write_folder(tmp_path / "odd", intermediate_size=72)
    with pytest.raises(IntakeError, match="rows of 72 values; blocks of 32"):
        run(odd, tmp_path / "pack")
    assert run(odd, tmp_path / "pack", bits=32).quantization[0].bits == 32


def test_nan_in_the_weights_leaves_nothing(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    model = tiny_llama.write_folder(tmp_path / "model")
    tensors = load_file(model / "model.safetensors")
    tensors["model.layers.1.mlp.down_proj.weight"][0, 0] = np.nan
    save_file(tensors, model / "model.safetensors")
    with pytest.raises(IntakeError, match="down_proj"):
        run(model, tmp_path / "pack")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_same_input_gives_the_same_bytes_in_every_file(model: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        run(model, out, evaluate=True)
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_manifest_says_what_it_was_calibrated_on(model: Path, tmp_path: Path) -> None:
    assert len(run(model, tmp_path / "a").calibrated_on or "") == 64
    assert run(model, tmp_path / "b", calibrate=False).calibrated_on is None
