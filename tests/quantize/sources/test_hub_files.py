"""Which files of a repository are asked for."""

from __future__ import annotations

import pytest

from edgeward.errors import SourceError
from edgeward.quantize.sources.hub_files import RemoteFile, choose


def listed(*names: str) -> list[RemoteFile]:
    return [RemoteFile(name, 10, None) for name in names]


def chosen(*names: str, file: str | None = None) -> set[str]:
    return {f.name for f in choose(listed(*names), "org/model", file)}


def test_only_what_makes_a_pack_is_fetched() -> None:
    wanted = {"config.json", "tokenizer.json", "model.safetensors", "README.md"}
    others = {"pytorch_model.bin", "onnx/model.onnx", "x.png", "evil.py", "original/x.safetensors"}
    assert chosen(*wanted, *others) == wanted


def test_shards_are_taken_with_their_index() -> None:
    wanted = {"config.json", "model.safetensors.index.json"}
    wanted |= {f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}
    assert chosen(*wanted, "consolidated.safetensors") == wanted


def test_the_only_gguf_file_needs_no_name() -> None:
    assert chosen("a.gguf", "README.md") == {"a.gguf", "README.md"}


def test_several_gguf_files_need_a_choice() -> None:
    with pytest.raises(SourceError, match=r"'org/model:a\.gguf'"):
        chosen("a.gguf", "b.gguf")
    assert chosen("a.gguf", "b.gguf", "config.json", "model.safetensors", file="b.gguf") == {
        "b.gguf"
    }


def test_a_file_that_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(SourceError, match=r"no file 'c\.gguf'; its GGUF files are a\.gguf"):
        chosen("a.gguf", file="c.gguf")


@pytest.mark.parametrize("names", [(), ("pytorch_model.bin", "config.json"), ("x.safetensors",)])
def test_a_repository_without_a_model_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match="neither safetensors"):
        chosen(*names)


@pytest.mark.parametrize("name", ["../escaped.gguf", "/tmp/escaped.gguf", "a/../../escaped.gguf"])
def test_a_name_that_leads_outside_is_refused(name: str) -> None:
    with pytest.raises(SourceError):
        chosen(name)
