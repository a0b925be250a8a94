"""The public tokenizer: files it finds, names it answers to, errors it raises."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgeward as ew
from edgeward.errors import TemplateError, TokenizerError

DATA = Path(__file__).resolve().parents[1] / "data/tokenizers/smollm2-135m"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smollm2")
    packed = (DATA / "tokenizer.json.gz").read_bytes()
    (folder / "tokenizer.json").write_bytes(gzip.decompress(packed))
    shutil.copy(DATA / "tokenizer_config.json", folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    return ew.Tokenizer.from_file(folder)


def test_text_to_ids_and_back(tokenizer):
    ids = tokenizer.encode("Hello world")
    assert ids == [19556, 905]
    assert tokenizer.decode(ids) == "Hello world"
    assert tokenizer.offsets("Hello world") == [(0, 5), (5, 11)]
    assert tokenizer.encode_batch(["Hello", " world"]) == [[19556], [905]]
    assert tokenizer.token_bytes(905) == b" world"


def test_names_of_special_tokens(tokenizer):
    assert tokenizer.vocab_size == 49152
    assert tokenizer.bos_id == 1
    assert tokenizer.eos_id == 2
    assert tokenizer.eot_ids == (0, 2)
    assert tokenizer.token_to_id("<|im_start|>") == 1
    assert tokenizer.id_to_token(2) == "<|im_end|>"
    assert tokenizer.id_to_token(-1) is tokenizer.id_to_token(10**12) is None
    assert tokenizer.is_special(2)
    assert not tokenizer.is_special(905)


def test_the_file_or_its_folder(folder, tokenizer):
    other = ew.Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert other.chat_template == tokenizer.chat_template
    assert other.encode("x") == tokenizer.encode("x")


def test_chat_template_renders_as_the_model_was_trained(tokenizer):
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Bye"},
    ]
    assert tokenizer.apply_chat_template(messages) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
        "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    )
    alone = tokenizer.apply_chat_template(messages[:1], add_generation_prompt=False)
    assert alone.endswith("Hi<|im_end|>\n")


def test_a_jinja_file_beside_the_tokenizer_goes_before_the_config(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "m")
    template = "{{ bos_token }}{{ messages[0].content }}{{ tools | tojson }}{{ extra }}"
    (tmp_path / "m/chat_template.jinja").write_text(template)
    other = ew.Tokenizer.from_file(tmp_path / "m")
    tools = [{"name": "f"}]
    text = other.apply_chat_template([{"role": "user", "content": "x"}], tools=tools, extra=7)
    assert text == '<|im_start|>x[{"name": "f"}]7'


def test_a_second_template_for_tools(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "m")
    named = [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]
    (tmp_path / "m/tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    other = ew.Tokenizer.from_file(tmp_path / "m")
    messages = [{"role": "user", "content": "x"}]
    assert other.apply_chat_template(messages) == "plain"
    assert other.apply_chat_template(messages, tools=[]) == "tools"


def test_without_a_template(folder):
    other = ew.Tokenizer((folder / "tokenizer.json").read_bytes())
    assert other.chat_template is None
    assert other.bos_id is other.eos_id is None
    with pytest.raises(TemplateError, match="has no chat template"):
        other.apply_chat_template([{"role": "user", "content": "x"}])


@pytest.mark.parametrize("messages", ["hi", 3, [{"content": "x"}], ["x"], [{"role": 1}]])
def test_messages_of_another_shape_are_refused(messages, tokenizer):
    with pytest.raises(TemplateError, match="messages"):
        tokenizer.apply_chat_template(messages)


def test_stream_with_a_stop_string(tokenizer):
    stream = tokenizer.stream(stop=["STOP"])
    shown = "".join([stream.push(i) for i in tokenizer.encode("go on STOP here")])
    assert shown + stream.finish() == "go on "
    assert stream.stopped == "STOP"
    with pytest.raises(TokenizerError, match="empty"):
        tokenizer.stream(stop=[""])


def test_errors_name_the_file(tmp_path):
    with pytest.raises(TokenizerError, match=r"cannot read .*tokenizer\.json"):
        ew.Tokenizer.from_file(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: not valid JSON"):
        ew.Tokenizer.from_file(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("[]")
    with pytest.raises(TokenizerError, match=r"tokenizer_config\.json must hold an object"):
        ew.Tokenizer.from_file(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("[" * 100_000)
    with pytest.raises(TokenizerError, match="not valid JSON"):
        ew.Tokenizer.from_file(tmp_path)


def test_errors_of_calls_are_this_package_s(tokenizer):
    with pytest.raises(TokenizerError, match="-1 is out of range"):
        tokenizer.decode([-1])
    with pytest.raises(TokenizerError, match="from 1 to 256"):
        tokenizer.encode_batch(["a"], threads=0)


def test_importing_it_imports_neither_jinja_nor_numpy():
    code = (
        "import sys, edgeward; edgeward.Tokenizer; "
        "print(sorted({'jinja2', 'numpy', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_arrays_hold_what_the_lists_hold(tokenizer):
    texts = ["Hello world", "", b"bytes \xff", "\u4e2d\u6587 " * 50]
    for text in texts:
        ids = tokenizer.encode_array(text)
        assert (ids.dtype, ids.tolist()) == ("uint32", tokenizer.encode(text))
    ids, splits = tokenizer.encode_batch_arrays(texts, threads=2)
    assert (ids.dtype, splits.dtype, len(splits)) == ("uint32", "int64", 5)
    rows = [ids[a:b].tolist() for a, b in itertools.pairwise(splits)]
    assert rows == tokenizer.encode_batch(texts)
    empty, splits = tokenizer.encode_batch_arrays([])
    assert (len(empty), splits.tolist()) == (0, [0])
    with pytest.raises(TypeError, match="a sequence of texts"):
        tokenizer.encode_batch_arrays("text")
