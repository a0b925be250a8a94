"""A tokenizer from its compiled file, and from its tokenizer.json where that cannot be used."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from edgeward import Tokenizer
from edgeward.errors import TokenizerError
from edgeward.vocabularies.compiled import compile_tokenizer

DATA = Path(__file__).resolve().parents[2] / "data/tokenizers/smollm2-135m"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    raw = gzip.decompress((DATA / "tokenizer.json.gz").read_bytes())
    (folder / "tokenizer.json").write_bytes(raw)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    content = compile_tokenizer(raw)
    assert content is not None
    (folder / "tokenizer.bin").write_bytes(content)
    return folder


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()


def test_it_is_mapped_and_has_the_files_beside_it(folder):
    file = folder / "tokenizer.json"
    ours = Tokenizer.from_compiled(folder / "tokenizer.bin", file, sha256(folder))
    plain = Tokenizer.from_file(file)
    assert (ours.origin, plain.origin) == ("tokenizer.bin", "tokenizer.json")
    text = "Hello world, it's 1234 \u4e2d\u6587."
    assert ours.encode(text) == plain.encode(text)
    assert ours.offsets(text) == plain.offsets(text)
    stream = ours.stream()
    assert "".join([stream.push(id) for id in ours.encode(text)]) + stream.finish() == text
    messages = [{"role": "user", "content": "hi"}]
    assert ours.apply_chat_template(messages) == plain.apply_chat_template(messages) == "hi"


@pytest.mark.parametrize("named", [True, False])
def test_a_unigram_file_that_may_not_name_its_model(named, tmp_path):
    model = {"unk_id": 0, "vocab": [["<unk>", 0.0], ["h", -2.0], ["i", -2.5], ["hi", -3.0]]}
    raw = json.dumps({"model": model | ({"type": "Unigram"} if named else {})}).encode()
    (tmp_path / "tokenizer.json").write_bytes(raw)
    (tmp_path / "tokenizer.bin").write_bytes(compile_tokenizer(raw) or b"")
    ours = Tokenizer.from_compiled(
        tmp_path / "tokenizer.bin", tmp_path / "tokenizer.json", sha256(tmp_path)
    )
    assert ours.origin == "tokenizer.bin"
    assert ours.encode("hi?") == [3, 0]


@pytest.mark.parametrize(
    ("name", "digest", "said"),
    [
        ("tokenizer.bin", "00" * 32, "made from another tokenizer.json"),
        ("tokenizer.bin", "zz", "non-hexadecimal"),
        ("none.bin", "00" * 32, "No such file"),
        ("chat_template.jinja", "00" * 32, "shorter than its header"),
    ],
)
def test_otherwise_the_json_is_read_and_the_origin_says_why(name, digest, said, folder):
    ours = Tokenizer.from_compiled(folder / name, folder / "tokenizer.json", digest)
    assert ours.encode("Hello world") == [19556, 905]
    assert ours.origin.startswith(f"tokenizer.json, because of {name}: ")
    assert said in ours.origin


def test_without_either_file_it_is_an_error(folder):
    with pytest.raises(TokenizerError, match="cannot read"):
        Tokenizer.from_compiled(folder / "none.bin", folder / "none.json", "00" * 32)


def test_only_a_tokenizer_is_compiled():
    with pytest.raises(TokenizerError, match="not valid JSON"):
        compile_tokenizer(b"{")
    with pytest.raises(TokenizerError, match="has no model"):
        compile_tokenizer(b"{}")
