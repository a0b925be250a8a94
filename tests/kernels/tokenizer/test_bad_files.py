"""Damaged and hostile tokenizer files: a ValueError that says what and where, never a crash."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeward.kernels import _native


def refused(text: bytes | str) -> str:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with pytest.raises(ValueError, match=r".") as caught:
        _native.Tokenizer(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the text ends where a value is expected"),
        ("   ", "the text ends where a value is expected"),
        ("{", "the text ends where a name"),
        ('{"a"', "the text ends where ':'"),
        ('{"a":1', "the text ends where ',' or '}'"),
        ('{"a":1,}', "a name in quotes is expected"),
        ("[1,]", "a value is expected"),
        ("[1 2]", "',' or ']' is expected"),
        ("{} {}", "more text after the value"),
        ("nul", "a value is expected"),
        ("01", "must not start with 0"),
        ("1.", "a digit is expected"),
        ("-", "a digit is expected"),
        ("1e+", "a digit is expected"),
        ("+1", "a value is expected"),
        ("NaN", "a value is expected"),
        ("'a'", "a value is expected"),
        ('"abc', "ends inside a string"),
        ('"a\nb"', "raw control character"),
        (r'"\x"', "unknown escape"),
        (r'"\u12"', "\\u escape"),
        (r'"\u12g4"', "four hexadecimal digits"),
        (r'"\ud800"', "lone high surrogate"),
        (r'"\ud800\u0041"', "lone high surrogate"),
        (r'"\udc00"', "lone low surrogate"),
        (b'"\xff"', "invalid UTF-8 at byte 1"),
        ('"\ud800"', "invalid UTF-8 at byte 1"),
        ('{"a":1,"a":2}', '"a" stands twice'),
        ("[" * 200, "nested deeper than 128"),
        ('{"a":' * 100_000, "nested deeper than 128"),
        ("/* */ {}", "a value is expected"),
        ("[]", "must hold an object"),
        ("{}", "has no model"),
        ('{"model":null}', "has no model"),
        ('{"model":[]}', "model must be an object"),
        ('{"version":"2.0","model":{}}', 'only "1.0" is known'),
    ],
)
def test_bad_json_is_refused_with_its_place(text, said):
    assert said in refused(text)


def test_a_name_given_twice_among_many_is_found():
    names = [f'"n{i}":{i}' for i in range(1000)]
    assert "n500" in refused("{" + ",".join([*names, '"n500":1']) + "}")


def test_valid_json_of_every_kind_is_read(make_json):
    file = make_json(
        extra=[None, True, False, -0, 0.5, 1e-7, -12.5e3, '\u00e9\U0001f600"\\/\b\f\n\r\t', {}, []]
    )
    for text in (json.dumps(file), json.dumps(file, ensure_ascii=False, indent=3)):
        tokenizer = _native.Tokenizer(text.encode())
        assert tokenizer.decode(tokenizer.encode("h\u00e9")) == "h\u00e9"


def model(**members):
    return {"model": members}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (model(type="Unknown"), 'model type "Unknown" is not supported'),
        (model(vocab=[]), "model.vocab must be an object, not an array"),
        (model(vocab={"a": -1}, merges=[]), "it must be a whole number from 0"),
        (model(vocab={"a": 1.5}, merges=[]), "it must be a whole number from 0"),
        (model(vocab={"a": 2**32}, merges=[]), "it must be a whole number from 0"),
        (model(vocab={"a": "1"}, merges=[]), "must be a whole number, not a string"),
        (model(vocab={"a": 1, "b": 1}, merges=[]), 'token id 1 is given to both "a" and "b"'),
        (model(merges=["a"]), 'model.merges[0] is "a"'),
        (model(merges=["a b c"]), 'model.merges[0] is "a b c"'),
        (model(merges=[["a"]]), "model.merges[0] has 1 parts"),
        (model(merges=[["a", 1]]), "model.merges[0] must be a string"),
        (model(merges=["a b"]), 'needs the token "ab"'),
        (model(merges=["\u65e5 b"]), "needs the token"),
        (model(dropout=0.1), "dropout"),
        (model(unk_token=1), "model.unk_token must be a string"),
        ({"pre_tokenizer": {"type": "Magic"}}, 'pre_tokenizer "Magic" is not supported'),
        ({"pre_tokenizer": {}}, "pre_tokenizer has no type"),
        ({"pre_tokenizer": []}, "pre_tokenizer must be an object"),
        ({"normalizer": {"type": "Magic"}}, 'normalizer "Magic" is not supported'),
        ({"post_processor": {"type": "Magic"}}, 'post_processor "Magic" is not supported'),
        ({"decoder": {"type": "Magic"}}, 'decoder "Magic" is not supported'),
        (
            {
                "pre_tokenizer": {
                    "type": "Split",
                    "pattern": {"Regex": "(a+)+$"},
                    "behavior": "Isolated",
                    "invert": False,
                }
            },
            "regular expression",
        ),
        ({"added_tokens": {}}, "added_tokens must be an array"),
        ({"added_tokens": [{"content": "x"}]}, "has no id"),
        ({"added_tokens": [{"id": 1}]}, "has no content"),
        ({"added_tokens": [{"id": 1, "content": "x" * 5000}]}, "may have 1 to"),
    ],
)
def test_bad_components_are_named(change, said, make_json):
    assert said in refused(json.dumps(make_json(**change)))


def test_sequences_in_sequences_end_somewhere(make_json):
    stage = {"type": "WhitespaceSplit"}
    for _ in range(50):
        stage = {"type": "Sequence", "pretokenizers": [stage]}
    assert "nested too deep" in refused(json.dumps(make_json(pre_tokenizer=stage)))


def test_every_truncation_of_a_file_is_refused(make_json):
    text = json.dumps(make_json(merges=("a b",))).encode()
    for end in [*range(0, len(text), 37), *range(len(text) - 40, len(text))]:
        refused(text[:end])


def test_damaged_bytes_are_refused_or_read(make_json):
    text = json.dumps(make_json(merges=("a b", "ab c"))).encode()
    rng = random.Random(7)
    for _ in range(400):
        damaged = bytearray(text)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            tokenizer = _native.Tokenizer(bytes(damaged))
        except ValueError:
            continue
        tokenizer.decode(tokenizer.encode("abc \u00e9 hello"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data):
    refused(data)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_that_python_writes_is_read(value):
    assert "not valid JSON" not in refused(json.dumps(value, ensure_ascii=False))
