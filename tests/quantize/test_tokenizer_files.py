"""Tokenizer, template and defaults out of GGUF files and Hugging Face folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
import tiny_gguf
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from edgeward.errors import IntakeError
from edgeward.manifest import Generation
from edgeward.quantize.intake import gguf as gguf_intake
from edgeward.quantize.tokenizer_files import TokenizerFiles
from edgeward.quantize.tokenizer_files import collect as collect_with

SETTINGS: dict[str, Any] = {
    "tokenizer.json": {
        "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
        "added_tokens": [
            {"id": 1, "content": "<s>", "special": True},
            {"id": 2, "content": "</s>", "special": True},
            {"id": 3, "content": "<|im_end|>", "special": True},
            {"id": 4, "content": "<end_of_turn>", "special": False},
        ],
    },
    "config.json": {"eos_token_id": 2},
}


def collect(model: Path) -> TokenizerFiles:
    """As a pull does: with what the intake found."""
    if model.is_dir():
        return collect_with(model, json.loads((model / "config.json").read_text()))
    return collect_with(model, gguf_intake.read(model).metadata)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, SETTINGS)
    return tmp_path


def put(folder: Path, settings: dict[str, Any]) -> None:
    for name, content in settings.items():
        (folder / name).write_text(json.dumps(content))


def test_a_ggufs_vocabulary_merges_and_cuts_as_it_says(tiny: Path) -> None:
    tokenizer = Tokenizer.from_str(collect(tiny).tokenizer.decode())
    encoded = tokenizer.encode("hell wor 12<|im_end|>")
    assert encoded.tokens == ["hell", "Ġw", "or", "Ġ", "1", "2", "<|im_end|>"]
    assert tokenizer.decode(encoded.ids) == "hell wor 12"
    assert tokenizer.get_vocab_size() == 264


def test_every_byte_survives(tiny: Path) -> None:
    tokenizer = Tokenizer.from_str(collect(tiny).tokenizer.decode())
    text = "".join(map(chr, range(1, 0x250))) + "日本語 🦊\r\n"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_ggufs_stop_ids_are_its_own_and_the_known_ones(tiny: Path) -> None:
    assert collect(tiny).generation == Generation(stop_ids=[0, 2])


def test_a_ggufs_template_is_taken_as_it_is(tiny: Path) -> None:
    assert collect(tiny).chat_template == tiny_gguf.TEMPLATE


def test_a_base_model_has_no_template(tmp_path: Path) -> None:
    model = tiny_gguf.write(tmp_path / "base.gguf", fields={"tokenizer.chat_template": None})
    assert collect(model).chat_template is None


@pytest.mark.parametrize("name", ["bos_token", "eos_token"])
def test_a_template_is_given_the_tokens_it_names(tmp_path: Path, name: str) -> None:
    fields = {"tokenizer.chat_template": f"\n{{{{ {name} }}}}{{% if true %}}\nx{{% endif %}}"}
    template = collect(tiny_gguf.write(tmp_path / "m.gguf", fields=fields)).chat_template
    assert template is not None
    expected = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}[name]
    for trim in (True, False):
        plain: jinja2.Environment = ImmutableSandboxedEnvironment(
            trim_blocks=trim, lstrip_blocks=trim
        )
        given = plain.from_string(fields["tokenizer.chat_template"]).render({name: expected})
        assert plain.from_string(template).render() == given


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tokenizer.ggml.model": None}, "holds no tokenizer"),
        ({"tokenizer.ggml.model": "rwkv"}, "kind 'rwkv'"),
        ({"tokenizer.ggml.model": "llama"}, "'tokenizer.ggml.scores' is no list"),
        ({"tokenizer.ggml.pre": "martian"}, "'martian' .* not known; known are gpt-2, mpt, smollm"),
        ({"tokenizer.ggml.pre": None}, "pre-tokenizer None"),
    ],
)
def test_what_cannot_be_exact_is_refused_by_name(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(IntakeError, match=words):
        collect(tiny_gguf.write(tmp_path / "m.gguf", fields=fields))


def test_a_folders_tokenizer_is_taken_byte_for_byte(folder: Path) -> None:
    files = collect(folder)
    assert files.tokenizer == (folder / "tokenizer.json").read_bytes()
    assert files.chat_template is None
    assert files.generation == Generation(stop_ids=[2, 3])


def test_generation_settings_win_over_config_and_may_list_ids(folder: Path) -> None:
    put(folder, {"generation_config.json": {"eos_token_id": [7, 1]}})
    assert collect(folder).generation.stop_ids == [1, 2, 3, 7]


def test_advice_on_sampling_counts_where_the_makers_sample(folder: Path) -> None:
    advice = {"temperature": 0.6, "top_p": 0.9, "top_k": 20, "repetition_penalty": 1.1}
    put(folder, {"generation_config.json": {**advice, "do_sample": True}})
    generation = collect(folder).generation
    assert (generation.temperature, generation.top_p, generation.top_k) == (0.6, 0.9, 20)
    assert generation.repetition_penalty == 1.1
    put(folder, {"generation_config.json": advice})
    generation = collect(folder).generation
    assert (generation.temperature, generation.top_p, generation.top_k) == (None, None, None)


@pytest.mark.parametrize("value", ["hot", [1], True, float("nan")])
def test_advice_that_is_no_number_is_refused(folder: Path, value: object) -> None:
    put(folder, {"generation_config.json": {"do_sample": True, "temperature": value}})
    with pytest.raises(IntakeError, match="'temperature' is"):
        collect(folder)


def test_the_template_comes_from_its_newest_place(folder: Path) -> None:
    put(folder, {"tokenizer_config.json": {"chat_template": "oldest"}})
    assert collect(folder).chat_template == "oldest"
    put(folder, {"chat_template.json": {"chat_template": "older"}})
    assert collect(folder).chat_template == "older"
    (folder / "chat_template.jinja").write_text("newest {{ x }}")
    assert collect(folder).chat_template == "newest {{ x }}"


def test_of_several_templates_the_default_is_taken(folder: Path) -> None:
    several = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]
    put(folder, {"tokenizer_config.json": {"chat_template": several}})
    assert collect(folder).chat_template == "d"


def test_special_tokens_may_be_objects(folder: Path) -> None:
    config = {"bos_token": {"content": "<s>", "lstrip": False}, "chat_template": "{{ bos_token }}"}
    put(folder, {"tokenizer_config.json": config})
    template = collect(folder).chat_template
    assert template is not None
    assert jinja2.Template(template).render() == "<s>"


def test_the_named_end_token_stops(folder: Path) -> None:
    put(folder, {"config.json": {}, "tokenizer_config.json": {"eos_token": "<s>"}})
    assert set(collect(folder).generation.stop_ids) >= {1, 2, 3}


def test_a_folder_without_a_tokenizer_says_how_to_make_one(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(IntakeError, match=r"no tokenizer\.json.*save_pretrained"):
        collect(folder)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"model": 1}', '{"model": {}, "added_tokens": [3]}', "[" * 100_000,
     '{"model": {}, "added_tokens": [{"id": "x", "content": "y"}]}', "\ufeff{}", '{"a": 1e999}'],
)  # fmt: skip
def test_a_damaged_tokenizer_is_refused(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(IntakeError, match=r"tokenizer\.json"):
        collect(folder)


@pytest.mark.parametrize("name", ["generation_config.json", "tokenizer_config.json"])
def test_damaged_settings_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff\xfe{")
    with pytest.raises(IntakeError, match=name):
        collect(folder)


def test_a_template_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "chat_template.jinja").write_bytes(b"\xff")
    with pytest.raises(IntakeError, match="not UTF-8"):
        collect(folder)
