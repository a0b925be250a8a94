"""`edgeward quantize` keeps to its target, says how, and loses less than plain rounding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_llama

import edgeward
from edgeward.cli import main
from edgeward.errors import IntakeError, OptionError
from edgeward.pack import Pack
from edgeward.quantize.convert import convert
from edgeward.quantize.evaluate.examine import examine
from edgeward.quantize.evaluate.pack import Text
from edgeward.quantize.intake import read_model
from edgeward.quantize.keep import Keep
from edgeward.quantize.plan import Plan
from edgeward.quantize.quantize_cli import in_bytes
from edgeward.quantize.quantizer import Quantizer, Target
from edgeward.quantize.rounding import round_weights
from edgeward.quantize.schemes.grids import Q4_0, Q4_1
from edgeward.quantize.sensitivity import Sensitivity
from edgeward.quantize.verify import verify
from edgeward.quantize.weights import all_floats
from edgeward.tokenizer import Tokenizer

# Heads of 32.
SHAPE: dict[str, Any] = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_folder(tmp_path_factory.mktemp("model"), **SHAPE)


def make(model: Path, out: Path, target: Target, **options: Any) -> Path:
    convert(
        model,
        out,
        name="tiny",
        source=tiny_llama.source(model),
        licence="apache-2.0",
        tokenizer=tiny_llama.tokenizer_json(),
        chat_template=tiny_llama.TEMPLATE,
        generation=tiny_llama.m.Generation(stop_ids=[tiny_llama.STOP]),
        evaluate=False,
        rounding=Quantizer(target, **options),
    )
    return out


def loss(pack: Path, model: Path) -> float:
    found = examine(pack, model, greedy=False).mean_kl
    assert found is not None
    return found.value


def test_calibration_loses_less_at_the_same_size(model: Path, tmp_path: Path) -> None:
    target = Target(bits=4.6)
    made = {m: make(model, tmp_path / m, target, method=m) for m in ("nearest", "search", "gptq")}
    losses = {method: loss(pack, model) for method, pack in made.items()}
    assert losses["gptq"] < losses["search"] * 0.95
    assert losses["gptq"] < losses["nearest"] * 0.8
    sizes = {
        method: Pack.open(pack).manifest.graphs[0].quantization for method, pack in made.items()
    }
    for groups in sizes.values():
        assert sum(group.bytes for group in groups) * 8 <= 4.6 * numbers(model)


def numbers(model: Path) -> int:
    shapes = read_model(model).architecture.shapes().values()
    return sum(int(np.prod(shape)) for shape in shapes if len(shape) == 2)


def test_the_pack_says_how_it_was_made_runs_and_verifies(model: Path, tmp_path: Path) -> None:
    shown: list[Plan] = []
    pack = make(model, tmp_path / "p", Target(bits=5), show=shown.append)
    manifest = Pack.open(pack).manifest
    recipe = manifest.recipe
    assert recipe is not None
    assert (recipe.target, recipe.method) == ("5 bits", "gptq")
    assert set(recipe.formats) == set(shown[0])
    assert set(recipe.formats.values()) <= {"q4_0", "q4_1", "q8_0"}
    assert manifest.calibrated_on is not None
    assert [graph.kind for graph in manifest.graphs] == ["fused"]
    assert any("gptq from F32" in group.scheme for group in manifest.quantization)
    assert verify(pack).prompts == 3
    with edgeward.load(pack) as loaded:
        assert loaded.info.graph_kind == "fused"
        reply = loaded.generate("the river", max_tokens=4, ignore_eos=True)
        assert reply.usage.completion_tokens == 4
    again = make(model, tmp_path / "again", Target(bits=5))
    for name in manifest.files:
        assert (pack / name).read_bytes() == (again / name).read_bytes(), name


def test_more_bits_lose_less_until_nothing_is_left_to_gain(model: Path, tmp_path: Path) -> None:
    losses = [
        loss(make(model, tmp_path / str(bits), Target(bits=bits)), model) for bits in (4.6, 5, 6.5)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 3


def test_a_size_holds_for_the_graph_and_its_weights(model: Path, tmp_path: Path) -> None:
    most = 260_000
    files = Pack.open(make(model, tmp_path / "p", Target(size=most))).manifest.files
    assert 0.7 * most < files["fused.data"].size + files["fused.onnx"].size <= most
    with pytest.raises(OptionError, match="MB at least"):
        make(model, tmp_path / "small", Target(size=150_000))
    assert not (tmp_path / "small").exists()


def test_a_loss_is_kept_or_refused(model: Path, tmp_path: Path) -> None:
    pack = make(model, tmp_path / "p", Target(max_kl=0.02))
    assert loss(pack, model) < 0.03  # activations in 8 bits are beside it
    wide = make(model, tmp_path / "wide", Target(max_kl=0.2))
    assert sum(g.bytes for g in Pack.open(wide).manifest.quantization) < sum(
        g.bytes for g in Pack.open(pack).manifest.quantization
    )
    with pytest.raises(OptionError, match="was not reached"):
        make(model, tmp_path / "never", Target(max_kl=1e-9))


def test_what_lies_on_a_grid_is_carried_over_exactly(model: Path) -> None:
    weights = read_model(model)
    words = np.random.default_rng(0).integers(3, tiny_llama.VOCABULARY, (4, 48))
    names = [f"layers.{n}.{kind}" for n in range(2) for kind in ("q", "down")]
    on_grid = round_weights(weights, dict.fromkeys(names, Q4_1), None, method="nearest")
    choices = Sensitivity(on_grid, words).choices()
    for name in names:
        exact = [choice for choice in choices[name] if choice.exact]
        assert [choice.form for choice in exact] == [Q4_1]
        assert exact[0].loss == 0
    assert not any(choice.exact for choice in choices["layers.0.gate"])
    again = round_weights(on_grid, dict.fromkeys(names), words)
    for name in names:
        np.testing.assert_array_equal(
            all_floats(again.tensors[name]), all_floats(on_grid.tensors[name])
        )


def test_expected_losses_are_near_the_measured_one(model: Path) -> None:
    """The sum of parts, each measured alone, against all of them together."""
    weights = read_model(model)
    words = np.random.default_rng(0).integers(3, tiny_llama.VOCABULARY, (8, 64))
    choices = Sensitivity(weights, words).choices()
    expected = sum(next(c.loss for c in of if c.form == Q4_0) for of in choices.values())
    from edgeward.quantize.evaluate.examine import measure_losses
    from edgeward.quantize.evaluate.references import FloatReference

    rounded = round_weights(weights, dict.fromkeys(choices, Q4_0), None, method="nearest")
    measured = measure_losses(FloatReference(rounded), FloatReference(weights), words[:4])
    assert 0.5 < expected / measured.kl.mean() < 2


def test_an_untied_head_has_a_choice_of_its_own(tmp_path: Path) -> None:
    model = tiny_llama.write_folder(tmp_path / "m", tie_word_embeddings=False, **SHAPE)
    pack = make(model, tmp_path / "p", Target(bits=5))
    recipe = Pack.open(pack).manifest.recipe
    assert recipe is not None
    assert {"embedding", "head"} <= set(recipe.formats)
    assert loss(pack, model) < 0.5


def test_a_text_of_the_user_s_is_what_it_is_calibrated_on(model: Path, tmp_path: Path) -> None:
    text = Text("mine.txt", "the house of the river is that of water and light " * 60)
    pack = make(model, tmp_path / "p", Target(bits=4.6), text=text)
    manifest = Pack.open(pack).manifest
    assert manifest.recipe is not None
    assert manifest.recipe.calibration == "mine.txt"
    assert manifest.calibrated_on == text.sha256
    with pytest.raises(OptionError, match="too few"):
        make(model, tmp_path / "q", Target(bits=4.6), text=Text("empty", ""))


def test_an_interrupted_run_is_taken_up_again(model: Path, tmp_path: Path) -> None:
    def run(out: Path, stop_at: tuple[str, int] | None) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []

        def tell(phase: str, done: int, total: int, unit: str = "items") -> None:
            seen.append((phase, done))
            if (phase, done) == stop_at:
                raise KeyboardInterrupt

        keep = Keep(out, "source")
        keep.open()
        rounding = Quantizer(Target(bits=5), keep=keep)
        weights = read_model(model)
        (tmp_path / "tokenizer.json").write_bytes(tiny_llama.tokenizer_json())
        words = Tokenizer.from_file(tmp_path / "tokenizer.json")
        made = rounding(weights, words, tell).weights
        for name in weights.architecture.shapes():
            results.setdefault(name, []).append(all_floats(made.tensors[name]))
        return seen

    results: dict[str, list[Any]] = {}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", ("round", 1))
    assert len(list(tmp_path.glob(".a.resume/*/layers.0.*.npz"))) == 7
    seen = run(tmp_path / "a", None)
    assert "measure matrices" not in {phase for phase, _ in seen}
    run(tmp_path / "b", None)
    for name, (resumed, whole) in results.items():
        np.testing.assert_array_equal(resumed, whole, err_msg=name)
    damaged = next(tmp_path.glob(".a.resume/*/layers.1.q.npz"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    run(tmp_path / "a", None)
    np.testing.assert_array_equal(results["layers.1.q"][2], results["layers.1.q"][1])
    other = Keep(tmp_path / "a", "another source")
    other.open()
    assert other.choices() is None
    other.remove()
    assert not other.folder.exists()


def test_wrong_questions(model: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="give one target"):
        Target()
    with pytest.raises(OptionError, match="give one target"):
        Target(bits=4, max_kl=1)
    with pytest.raises(OptionError, match="above 0"):
        Target(bits=0)
    with pytest.raises(OptionError, match="choose one of nearest, search, gptq"):
        Quantizer(Target(bits=5), method="magic")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="needs calibration"):
        Quantizer(Target(max_kl=1), method="nearest")
    odd = tiny_llama.write_folder(tmp_path / "odd", intermediate_size=80, **SHAPE)
    with pytest.raises(IntakeError, match="the MLP width is 80, no multiple of 32"):
        make(odd, tmp_path / "p", Target(bits=5))
    assert in_bytes("92MB") == 92_000_000
    assert in_bytes("1.5 GiB") == 3 << 29
    with pytest.raises(OptionError, match="--size 'much'"):
        in_bytes("much")


def test_the_command_line(model: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    (model / "tokenizer.json").write_bytes(tiny_llama.tokenizer_json())
    out = tmp_path / "my pack"
    with pytest.raises(SystemExit, match="0"):
        main(["quantize", str(model), str(out), "--bits", "5", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "my-pack"
    assert told["mean_kl"] > 0
    assert told["weight_bytes"] * 8 <= 5 * numbers(model)
    with pytest.raises(SystemExit, match="0"):
        main(
            ["quantize", str(model), str(out), "--bits", "4.6", "--method", "nearest", "--no-eval"]
        )
    assert "q4_0, nearest" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["quantize", str(model), str(out)])


def test_the_card_says_how_it_was_rounded(model: Path, tmp_path: Path) -> None:
    card = (make(model, tmp_path / "p", Target(bits=5)) / "card.md").read_text()
    assert "- Rounded to 5 bits by `gptq`, calibrated on edgeward's built-in passages; 0 of" in card
    assert card.count("| tensors |") == 1
