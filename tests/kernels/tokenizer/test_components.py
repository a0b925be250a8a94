"""Every normalizer, pre-tokenizer and decoder alone, against the installed `tokenizers`."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import tokenizers

from edgeward.kernels import _native
from edgeward.kernels._text import Detokenizer, TokenTable

# Characters on which components differ: white space of all kinds, controls, marks, scripts.
TRICKY = (
    *"aAzé ñßİΣş09½²٣ \t\n\r\x0b\x0c\x1c\x7f\x85\xa0\xad.,!?-_'$+<|=>^`~@#",
    *"\u0301\u0345\u0378\u0600\u0915\u094d\u0937\u093e\u0d4e\u1100\u1161\u11a8\u1680\u180e",
    *"\u2000\u200b\u200d\u200e\u2028\u2029\u202f\u2043\u2581\u2e43\u2e4f\u3000\u3001\u3099",
    *"\u30a2\u30fc\u3042\u4e2d\uac00\uac01\ufb01\ufeff\uff21\uff71\uff9e\ufffd",
    *"\U0001f1e6\U0001f1e7\U0001f3fb\U0001f469\U0001f600\U00011a3a\U0001d15e\U000e0021",
    *"абвжώאبक日本語한글ไทยἀ",
)


def texts(seed: int, count: int) -> list[str]:
    chosen = random.Random(seed)
    made = ["", " ", "a", "Hello, World! 123", "  two  spaces ", "é e\u0301 Å", "don't stop-me_now"]
    made += list(TRICKY)
    for _ in range(count):
        made.append("".join(chosen.choices(TRICKY, k=chosen.randint(1, 12))))
    return made


def letters() -> dict[str, int]:
    """A vocabulary of all tricky characters, so that ids show what reached the model."""
    return {c: i for i, c in enumerate(dict.fromkeys(["?", *TRICKY, "ab", " ", "▁"]))}


def file(**members: Any) -> dict[str, Any]:
    model = {"type": "WordLevel", "vocab": letters(), "unk_token": "?"}
    return {"version": "1.0", "added_tokens": [], "model": model, **members}


NORMALIZERS: list[dict[str, Any]] = [
    {"type": "NFC"},
    {"type": "NFD"},
    {"type": "NFKC"},
    {"type": "NFKD"},
    {"type": "Nmt"},
    {"type": "ByteLevel"},
    {"type": "Lowercase"},
    {"type": "StripAccents"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Strip", "strip_left": False, "strip_right": True},
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Prepend", "prepend": "é▁"},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "bb"},
    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
    {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": ""},
    {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    {
        "type": "BertNormalizer",
        "clean_text": False,
        "handle_chinese_chars": True,
        "strip_accents": True,
        "lowercase": False,
    },
    {"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}, {"type": "ByteLevel"}]},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]},
    {"type": "Sequence", "normalizers": []},
]

BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PRE_TOKENIZERS: list[dict[str, Any]] = [
    {"type": "BertPreTokenizer"},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
    {"type": "CharDelimiterSplit", "delimiter": "-"},
    {"type": "CharDelimiterSplit", "delimiter": "日"},
    {"type": "Digits", "individual_digits": True},
    {"type": "Digits", "individual_digits": False},
    {"type": "FixedLength", "length": 1},
    {"type": "FixedLength", "length": 3},
    {"type": "FixedLength"},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
    {"type": "Metaspace", "replacement": "_", "prepend_scheme": "never", "split": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
    {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"},
    {"type": "UnicodeScripts"},
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    *({"type": "Punctuation", "behavior": b} for b in BEHAVIORS),
    {"type": "Punctuation"},
    *(
        {"type": "Split", "pattern": p, "behavior": b, "invert": i}
        for p in ({"String": " "}, {"Regex": r"\p{L}+"})
        for b in BEHAVIORS
        for i in (False, True)
    ),
    {
        "type": "Sequence",
        "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "Whitespace"}],
    },
    {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "FixedLength", "length": 4},
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        ],
    },
    {"type": "Sequence", "pretokenizers": []},
]


def name_of(component: dict[str, Any]) -> str:
    options = [str(v) for k, v in component.items() if k != "type" and not isinstance(v, list)]
    return "-".join([component["type"], *options])


def differences(entry: dict[str, Any], many: list[str]) -> list[str]:
    text = json.dumps(entry)
    ours = _native.Tokenizer(text.encode())
    reference = tokenizers.Tokenizer.from_str(text)
    wrong = []
    for one in many:
        expected = reference.encode(one)
        if (
            ours.encode_with_offsets(one) != (expected.ids, expected.offsets)
            or ours.encode(one) != expected.ids
        ):
            wrong.append(one)
    return wrong


@pytest.mark.parametrize("component", NORMALIZERS, ids=name_of)
def test_a_normalizer_gives_the_characters_and_origins_of_the_reference(component):
    split = {"type": "FixedLength", "length": 1}
    assert differences(file(normalizer=component, pre_tokenizer=split), texts(1, 1500)) == []


@pytest.mark.parametrize("component", PRE_TOKENIZERS, ids=name_of)
def test_a_pre_tokenizer_cuts_where_the_reference_cuts(component):
    assert differences(file(pre_tokenizer=component), texts(2, 1500)) == []


DECODERS: list[dict[str, Any] | None] = [
    None,
    {"type": "BPEDecoder", "suffix": "</w>"},
    {"type": "ByteFallback"},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
    {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": False},
    {"type": "Fuse"},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True},
    {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
    {"type": "Replace", "pattern": {"Regex": "▁|a+"}, "content": " "},
    {"type": "Replace", "pattern": {"String": "▁"}, "content": ""},
    {"type": "Strip", "content": "a", "start": 1, "stop": 0},
    {"type": "WordPiece", "prefix": "##", "cleanup": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": False},
    {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    },
    {
        "type": "Sequence",
        "decoders": [{"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "Fuse"}],
    },
    {
        "type": "Sequence",
        "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁"}],
    },
    {"type": "Sequence", "decoders": []},
]
TOKENS = ["?", "a", "##a", "b</w>", "</w>", "<0xE6>", "<0x97>", "<0xA5>", "<0x41>", "<pad>", "|"]
TOKENS += ["▁a", "▁", "a▁b", ".", "n't", "'", "do", "not", "Ġa", "Ã", "©", "日", "##", "' ", " ."]


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda d: name_of(d) if d else "none")
def test_a_decoder_gives_the_reference_s_text_at_once_and_as_a_stream(decoder):
    entry = file(decoder=decoder)
    entry["model"]["vocab"] = {token: id for id, token in enumerate(TOKENS)}
    text = json.dumps(entry)
    ours = _native.Tokenizer(text.encode())
    reference = tokenizers.Tokenizer.from_str(text)
    table = TokenTable(ours)
    chosen = random.Random(4)
    for _ in range(1500):
        ids = chosen.choices(range(len(TOKENS)), k=chosen.randint(1, 9))
        expected = reference.decode(ids)
        assert ours.decode(ids) == expected, [TOKENS[i] for i in ids]
        stream = Detokenizer(table)
        pieces = [stream.push(i) for i in ids]
        assert "".join([*pieces, stream.finish()]) == expected, [TOKENS[i] for i in ids]


def test_a_suffix_shows_a_word_when_the_next_begins():
    entry = file(decoder={"type": "BPEDecoder", "suffix": "</w>"})
    entry["model"]["vocab"] = {"a</w>": 0, "b": 1}
    stream = Detokenizer(TokenTable(_native.Tokenizer(json.dumps(entry).encode())), stop=["b a"])
    assert [stream.push(i) for i in (0, 1, 0)] == ["", "a ", ""]
    assert stream.finish() == "ba"


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer", "post_processor", "decoder"])
def test_an_unknown_component_is_named_with_those_that_are_known(part):
    with pytest.raises(ValueError, match=f'{part} "Sparkle" is not supported; supported: '):
        _native.Tokenizer(json.dumps(file(**{part: {"type": "Sparkle"}})).encode())
