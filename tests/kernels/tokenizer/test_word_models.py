"""WordPiece, WordLevel, BertNormalizer, truncation and padding against `tokenizers`."""

from __future__ import annotations

import json
import random

import pytest

from edgeward.kernels import _native

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
SPECIAL = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {
        name: {"id": name, "ids": [id], "tokens": [name]}
        for name, id in (("[CLS]", 1), ("[SEP]", 2))
    },
}


def bert(clean=True, chinese=True, accents=None, lower=True):
    return {
        "type": "BertNormalizer",
        "clean_text": clean,
        "handle_chinese_chars": chinese,
        "strip_accents": accents,
        "lowercase": lower,
    }


@pytest.fixture(scope="module")
def bert_json(make_json):
    pieces = [
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[PAD]",
        "un",
        "##aff",
        "##able",
        "##a",
        "a",
        "e",
        "\u00e9",
    ]
    pieces += [
        "##e",
        "##\u00e9",
        "i",
        "##i",
        "\u0307",
        "##\u0307",
        "!",
        "\u4e00",
        "##ff",
        "x",
        "##x",
    ]

    def make(**members):
        model = {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 12,
            "vocab": {piece: id for id, piece in enumerate(pieces)},
        } | members.pop("model", {})
        added = [{"id": 1, "content": "[CLS]", "special": True, **SPECIAL}]
        file = make_json(
            added_tokens=added,
            normalizer=bert(),
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor=TEMPLATE,
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        )
        return file | {"model": model} | members

    return make


def texts(seed, count=300):
    rng = random.Random(seed)
    parts = ["un", "aff", "able", "a", "e", "\u00e9", "e\u0301", "\u0130", "I", " ", "!", "\u4e00"]
    parts += [
        "\u2b820",
        "\U0002b821",
        "\U0002b921",
        "\u0085",
        "\u0000",
        "\t",
        "[CLS]",
        "\u00ad",
        "x" * 13,
    ]
    for _ in range(count):
        yield "".join(rng.choices(parts, k=rng.randint(0, 9)))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("accents", [None, False, True])
@pytest.mark.parametrize("clean", [False, True])
def test_bert_files(lower, accents, clean, bert_json, both):
    pair = both(bert_json(normalizer=bert(clean, clean or lower, accents, lower)))
    for text in texts(f"{lower}{accents}{clean}"):
        pair.check(text)


@pytest.mark.parametrize("normalizer", [bert(), {"type": "StripAccents"}])
def test_every_character_is_cleaned_as_in_the_reference(normalizer, bert_json, both):
    vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "q": 3, "qq": 4}
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}
    file = bert_json(normalizer=normalizer)
    file["model"] = model
    pair = both(file)
    for first in range(0, len(CODES), 64):
        text = " ".join(f"q{chr(c)}q" for c in CODES[first : first + 64])
        expected = pair.reference.encode(text)
        assert pair.ours.encode_with_offsets(text) == (expected.ids, expected.offsets), hex(first)


def test_old_files_do_not_name_their_model(bert_json, both):
    file = bert_json()
    del file["model"]["type"]
    both(file).check("unaffable")


def truncation(length, direction="Right", stride=0):
    return {
        "max_length": length,
        "strategy": "LongestFirst",
        "stride": stride,
        "direction": direction,
    }


def padding(strategy, direction="Right", multiple=None):
    return {
        "strategy": strategy,
        "direction": direction,
        "pad_to_multiple_of": multiple,
        "pad_id": 3,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }


@pytest.mark.parametrize(
    "rules",
    [
        {"truncation": truncation(5)},
        {"truncation": truncation(5, "Left", 1)},
        {"truncation": truncation(2)},
        {"padding": padding({"Fixed": 7})},
        {"padding": padding({"Fixed": 7}, "Left", 4)},
        {"padding": padding("BatchLongest", multiple=8)},
        {"truncation": truncation(6), "padding": padding({"Fixed": 6})},
    ],
)
def test_truncation_and_padding_hold_for_every_text(rules, bert_json, both):
    pair = both(bert_json(**rules))
    sample = list(texts(7, 120))
    for text in sample:
        pair.check(text)
    for size in (1, 2, 5):
        batch = sample[:size]
        expected = [e.ids for e in pair.reference.encode_batch(batch)]
        assert pair.ours.encode_batch(batch) == expected


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"truncation": truncation(1)}, "leaves no room"),
        ({"truncation": truncation(9, stride=8)}, "leaves no room"),
        ({"truncation": truncation(9, "Up")}, "Left or Right"),
        ({"truncation": {**truncation(9), "strategy": "OnlyThird"}}, "OnlyThird"),
        ({"padding": padding("Longest")}, "neither BatchLongest nor Fixed"),
        ({"padding": padding({"Fixed": -1})}, "whole number"),
        ({"padding": padding({"Fixed": 2**30})}, "whole number"),
    ],
)
def test_bad_length_rules_are_refused(rules, said, bert_json):
    with pytest.raises(ValueError, match=said):
        _native.Tokenizer(json.dumps(bert_json(**rules)).encode())


def test_a_missing_unknown_token_is_an_error_only_when_it_is_needed(bert_json):
    file = bert_json(model={"unk_token": "[NONE]"})
    tokenizer = _native.Tokenizer(json.dumps(file).encode())
    assert len(tokenizer.encode("unaffable")) == 5
    with pytest.raises(ValueError, match="needs the unknown token"):
        tokenizer.encode("zzz")
