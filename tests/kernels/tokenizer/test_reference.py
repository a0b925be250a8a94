"""Small tokenizer files of every supported shape against `tokenizers`, string by string."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeward.kernels import reference_tokenizer

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
MERGES = ("h e", "l l", "he ll", "Ġ t", "Ġt he", "Ġ Ġ", "ĠĠ ĠĠ", "a b", "b c", "ab c", "0 0", "Ã ©")
TEXTS = (
    "",
    " ",
    "hello the  hell",
    "  the\tthe\n\n the ",
    "a\u00e9b\u00e9\u00e9 1\u00b2\u00be34567 x\u00b3",
    "it's I'm we'LL 'S ''s '\u017f don't",
    "\u0000\u0004\u00a0\u0085\u2028\u3000\u200b\ufeff\U0001f469\u200d\U0001f469 \u0301x",
    "!?...,;: \u2e43\u2e4f--(a)[b]{c}",
    "abc" * 40 + " " * 70 + "hell" * 30,
)


def added(content, id, **flags):
    rules = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": id, "content": content, **rules, **flags}


PRE_TOKENIZERS = {
    "none": None,
    "byte-level": BYTE_LEVEL,
    "prefix-space": {**BYTE_LEVEL, "add_prefix_space": True},
    "no-regex": {**BYTE_LEVEL, "use_regex": False},
    "digits": {"type": "Digits", "individual_digits": True},
    "digit-runs": {"type": "Digits", "individual_digits": False},
    "spaces": {"type": "WhitespaceSplit"},
    **{
        f"punctuation-{b}": {"type": "Punctuation", "behavior": b}
        for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
    },
    **{
        f"split-{b}-{i}": {
            "type": "Split",
            "pattern": {"String": "l"},
            "behavior": b,
            "invert": i,
        }
        for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
        for i in (False, True)
    },
}


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
@pytest.mark.parametrize("then_bytes", [False, True])
def test_pre_tokenizers(name, then_bytes, make_json, both):
    stage = PRE_TOKENIZERS[name]
    if then_bytes and stage is not None:
        stage = {"type": "Sequence", "pretokenizers": [stage, BYTE_LEVEL]}
    pair = both(make_json(merges=MERGES, pre_tokenizer=stage))
    for text in TEXTS:
        pair.check(text)


def test_stages_behind_byte_level_read_its_characters(make_json, both):
    falcon = [
        {"type": "Punctuation", "behavior": "Contiguous"},
        BYTE_LEVEL,
        {"type": "Digits", "individual_digits": False},
        {
            "type": "Split",
            "pattern": {"Regex": "[0-9][0-9][0-9]"},
            "behavior": "Isolated",
            "invert": False,
        },
    ]
    pair = both(
        make_json(merges=MERGES, pre_tokenizer={"type": "Sequence", "pretokenizers": falcon})
    )
    for text in (*TEXTS, "1234567", "\u00d2\u00f2\u00fc1", "x\u00f3999"):
        pair.check(text)


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {
        "<s>": {"id": "<s>", "ids": [1, 2], "tokens": ["<s>", "!"]},
        "</s>": {"id": "</s>", "ids": [3], "tokens": ["</s>"]},
    },
}
ROBERTA = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize(
    "post",
    [
        BYTE_LEVEL,
        {**BYTE_LEVEL, "add_prefix_space": True},
        {**BYTE_LEVEL, "trim_offsets": False},
        TEMPLATE,
        {**ROBERTA, "trim_offsets": True, "add_prefix_space": True},
        {**ROBERTA, "trim_offsets": False, "add_prefix_space": False},
        {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]},
        {"type": "Sequence", "processors": [BYTE_LEVEL, TEMPLATE]},
    ],
    ids=lambda p: p["type"],
)
def test_post_processors(prefix, post, make_json, both):
    stage = {**BYTE_LEVEL, "add_prefix_space": prefix}
    pair = both(make_json(merges=MERGES, pre_tokenizer=stage, post_processor=post))
    for text in TEXTS:
        pair.check(text)


ADDED = [
    added("<R>", 900, rstrip=True, special=True),
    added("<L>", 901, lstrip=True, special=True),
    added("<B>", 902, lstrip=True, rstrip=True),
    added("  ", 903),
    added("ab", 904, single_word=True),
    added("b", 905),
    added("the", 906, single_word=True, normalized=True),
    added("<RR>x", 907, normalized=True, rstrip=True),
    added("h", 908, special=True),
    added("\u00e9<", 909, normalized=True, lstrip=True),
    added("\u65e5\u672c", 910),
]


@pytest.mark.parametrize("subset", range(1, 8))
def test_added_tokens_with_every_flag(subset, make_json, both):
    tokens = ADDED if subset == 1 else ADDED[subset % 3 :: 2 + subset % 2]
    pair = both(make_json(merges=MERGES, added_tokens=tokens))
    parts = ["<R>", "<L>", "<B>", " ", "  ", "ab", "a", "b", "the", "<RR>x", "h", "\u00e9<"]
    parts += ["\u65e5\u672c", "\u65e5", "\u3000", "\t", "_", "1", "\u0301", "\u00a0", "."]
    rng = random.Random(subset)
    for _ in range(300):
        pair.check("".join(rng.choices(parts, k=rng.randint(0, 12))))


def test_bytes_without_a_token_vanish_and_shift_offsets(make_json, both):
    merges = tuple(m for m in MERGES if not set(m) & set("b0\u00c3"))
    pair = both(make_json(merges=merges, drop="\u0104\u00c3b0"))
    for text in (*TEXTS, "a\u0004b", "x\u00e9\u00e9y \u00e9the\u0004 the", "b", "\u0004"):
        pair.check(text)


@pytest.mark.parametrize("ignore_merges", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_random_merge_lists(seed, ignore_merges, make_json, both):
    rng = random.Random(seed)
    tokens = list("abcd")
    merges = []
    for _ in range(40):
        left, right = rng.choice(tokens), rng.choice(tokens)
        if len(left + right) <= 8:
            merges.append(f"{left} {right}")
            tokens.append(left + right)
    rng.shuffle(merges)  # the order of the list is not the order of the ids
    model = {"ignore_merges": ignore_merges}
    pair = both(make_json(merges=tuple(merges), model=model))
    for _ in range(150):
        pair.check("".join(rng.choices("abcd ", k=rng.choice((1, 3, 7, 20, 47, 48, 49, 50, 200)))))


@pytest.mark.parametrize("seed", range(4))
def test_the_slow_twin_merges_the_same(seed, make_json, both):
    rng = random.Random(seed)
    merges = tuple(dict.fromkeys(f"{rng.choice('abc')} {rng.choice('abc')}" for _ in range(6)))
    pair = both(make_json(merges=merges, pre_tokenizer={**BYTE_LEVEL, "use_regex": False}))
    ids = {m: pair.ours.token_to_id(m.replace(" ", "")) for m in merges}
    rules = {
        tuple(pair.ours.token_to_id(part) for part in m.split()): (rank, ids[m])
        for rank, m in enumerate(merges)
    }
    for length in (1, 2, 30, 48, 49, 130):
        text = "".join(rng.choices("abc", k=length))
        symbols = [pair.ours.token_to_id(c) for c in text]
        assert pair.ours.encode(text) == reference_tokenizer.merge(symbols, rules)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_on_smollm2(smollm2, smollm2_reference, text):
    expected = smollm2_reference.encode(text)
    assert smollm2.encode_with_offsets(text) == (expected.ids, expected.offsets)
    assert smollm2.encode(text) == expected.ids


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 50000), max_size=40), st.booleans())
def test_any_ids_decode_as_the_reference_decodes_them(smollm2, smollm2_reference, ids, skip):
    assert smollm2.decode(ids, skip) == smollm2_reference.decode(ids, skip_special_tokens=skip)


def test_old_files_without_type_and_with_version_line(make_json, both):
    file = make_json(merges=MERGES)
    del file["model"]["type"], file["model"]["ignore_merges"], file["model"]["byte_fallback"]
    both(file).check("hello the")
    file["model"]["merges"] = [m.split(" ") for m in MERGES]
    both(file).check("hello the")
