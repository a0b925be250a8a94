"""Pairs, masks, truncation with overflow and padding against the installed `tokenizers`."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
import tokenizers
from bpe_file import bpe_model

from edgeward.kernels import _native

BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def template(single: str, pair: str, **ids: list[int]) -> dict[str, Any]:
    """A TemplateProcessing from "[C] $A:1 [S]:2" and a name for each special token."""

    def piece(text: str) -> dict[str, Any]:
        name, _, type_id = text.partition(":")
        kind = "Sequence" if name.startswith("$") else "SpecialToken"
        return {kind: {"id": name.removeprefix("$"), "type_id": int(type_id or 0)}}

    return {
        "type": "TemplateProcessing",
        "single": [piece(p) for p in single.split()],
        "pair": [piece(p) for p in pair.split()],
        "special_tokens": {
            f"[{k}]": {"id": f"[{k}]", "ids": v, "tokens": [f"t{i}" for i in v]}
            for k, v in ids.items()
        },
    }


BERT = {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2]}
ROBERTA = {
    "type": "RobertaProcessing",
    "sep": ["</s>", 1],
    "cls": ["<s>", 2],
    "trim_offsets": True,
    "add_prefix_space": True,
}
XLNET = template("$A [S] [C]:2", "$A [S] $B:1 [S]:1 [C]:2", S=[1], C=[2])
POST_PROCESSORS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "bert": BERT,
    "roberta": ROBERTA,
    "roberta-untrimmed": ROBERTA | {"trim_offsets": False},
    "roberta-no-prefix": ROBERTA | {"add_prefix_space": False},
    "byte-level": BYTES,
    "bert-template": template("[C] $A [S]", "[C] $A [S] $B:1 [S]:1", C=[2], S=[1]),
    "xlnet": XLNET,
    "many-ids": template("[C] $A", "$B:3 [C]:4 $A:5", C=[2, 1, 2]),
    "twice": template("$A [S] $A", "$A $B:1 $A", S=[1]),
    "empty-special": template("[C] $A", "[C] $A $B", C=[]),
    "llama": {
        "type": "Sequence",
        "processors": [BYTES, template("[C] $A", "[C] $A [C]:1 $B:1", C=[2])],
    },
    "template-then-bytes": {"type": "Sequence", "processors": [XLNET, BYTES]},
    "bert-then-bytes": {"type": "Sequence", "processors": [BERT, BYTES]},
    "two-frames": {"type": "Sequence", "processors": [ROBERTA, BERT]},
}

TEXTS = ["", "a", " a", "ab cd  ef", "  x\ny é 日本", "one two three four five six seven", "?" * 9]


def file(**members: Any) -> dict[str, Any]:
    """A byte-level vocabulary of 256 bytes and three special tokens."""
    tokens = ["[PAD]", "[SEP]", "[CLS]", *sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())]
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": BYTES,
        "model": bpe_model({c: i for i, c in enumerate(tokens)}, []),
        **members,
    }


def unfold(encoding: Any) -> dict[str, Any]:
    names = "ids offsets type_ids sequence_ids word_ids special_tokens_mask attention_mask"
    told = {name: list(getattr(encoding, name)) for name in names.split()}
    return told | {"overflowing": [unfold(part) for part in encoding.overflowing]}


class Pair:
    def __init__(self, entry: dict[str, Any]) -> None:
        text = json.dumps(entry)
        self.ours = _native.Tokenizer(text.encode())
        self.reference = tokenizers.Tokenizer.from_str(text)

    def answer(self, text: str, pair: str | None, special: bool) -> Any:
        """None where the reference gives up."""
        try:
            return self.reference.encode(text, pair, add_special_tokens=special)
        except BaseException as error:  # PanicException is none of Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            return None

    def check(self, text: str, pair: str | None = None) -> None:
        for special in (True, False):
            expected = self.answer(text, pair, special)
            if expected is None:
                with pytest.raises(ValueError, match="truncation"):
                    _native.encode_full(self.ours, text, pair, special)
                continue
            found = _native.encode_full(self.ours, text, pair, special)
            assert unfold(found) == unfold(expected), (text, pair, special)
            assert len(found) == len(expected.ids)
            if pair is None:
                assert self.ours.encode(text, special) == expected.ids
                together = self.ours.encode_with_offsets(text, special)
                assert together == (expected.ids, expected.offsets)
                assert self.ours.offsets(text, special) == expected.offsets


@pytest.mark.parametrize("name", POST_PROCESSORS)
def test_every_post_processor_on_one_text_and_on_two(name):
    both = Pair(file(post_processor=POST_PROCESSORS[name]))
    for text in TEXTS:
        both.check(text)
        for pair in TEXTS:
            both.check(text, pair)


def truncations() -> list[dict[str, Any]]:
    chosen = random.Random(8)
    combinations = itertools.product(
        ("Left", "Right"), ("LongestFirst", "OnlyFirst", "OnlySecond"), (4, 5, 7, 8, 12), (0, 1, 3)
    )
    return [
        {"direction": d, "strategy": s, "max_length": m, "stride": t}
        for d, s, m, t in combinations
        if t < m - 3 and chosen.random() < 0.7
    ]


@pytest.mark.parametrize("name", ["none", "bert", "roberta", "xlnet", "llama", "bert-then-bytes"])
def test_truncation_with_overflow(name):
    for rules in truncations():
        both = Pair(file(post_processor=POST_PROCESSORS[name], truncation=rules))
        for text, pair in itertools.product(TEXTS, [None, *TEXTS[:-1]]):
            both.check(text, pair)


@pytest.mark.parametrize("direction", ["Left", "Right"])
@pytest.mark.parametrize("multiple", [None, 0, 1, 8])
@pytest.mark.parametrize("strategy", ["BatchLongest", {"Fixed": 11}])
def test_padding(direction, multiple, strategy):
    rules = {
        "strategy": strategy,
        "direction": direction,
        "pad_to_multiple_of": multiple,
        "pad_id": 0,
        "pad_type_id": 3,
        "pad_token": "[PAD]",
    }
    cut = {"direction": "Right", "strategy": "LongestFirst", "max_length": 9, "stride": 2}
    for truncation in (None, cut):
        both = Pair(file(post_processor=XLNET, padding=rules, truncation=truncation))
        for text, pair in itertools.product(TEXTS, [None, *TEXTS[2:5]]):
            both.check(text, pair)
        batch = both.reference.encode_batch(TEXTS)
        assert both.ours.encode_batch(TEXTS) == [encoding.ids for encoding in batch]


def test_pieces_of_a_text_that_nothing_rewrites_are_numbered_too():
    both = Pair(file(pre_tokenizer=BYTES | {"add_prefix_space": False}))
    assert _native.encode_full(both.ours, "ab cd").word_ids == [0, 0, 1, 1, 1]
    for text in TEXTS:
        both.check(text, text)


def test_rules_that_cannot_be_kept_are_named():
    def rules(strategy: str, most: int) -> dict[str, Any]:
        return {"direction": "Right", "strategy": strategy, "max_length": most, "stride": 0}

    ours = _native.Tokenizer(json.dumps(file(truncation=rules("OnlySecond", 3))).encode())
    with pytest.raises(ValueError, match="no second text"):
        ours.encode("abcdef")
    with pytest.raises(ValueError, match="too few to remove 6"):
        _native.encode_full(ours, "abcdef", "a")
    tight = file(truncation=rules("LongestFirst", 2), post_processor=BERT)
    with pytest.raises(ValueError, match="max_length 2 leaves no room beside 3"):
        _native.encode_full(_native.Tokenizer(json.dumps(tight).encode()), "a", "b")


def test_a_template_behind_a_template_is_refused():
    twice = {"type": "Sequence", "processors": [POST_PROCESSORS["xlnet"]] * 2}
    with pytest.raises(ValueError, match="behind another"):
        _native.Tokenizer(json.dumps(file(post_processor=twice)).encode())
