"""The Unigram model against the installed `tokenizers`: ties, unknown characters, fallback."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any

import pytest
import tokenizers

from edgeward.kernels import _native

Entry = tuple[str, float]


def file(vocab: Sequence[Entry | list[Any]], unk_id: int | None = 0, **members: Any) -> Any:
    model = {"type": "Unigram", "unk_id": unk_id, "vocab": [list(v) for v in vocab]}
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": members.pop("pre_tokenizer", None),
        "decoder": None,
        "model": model | members,
    }


def test_ties_and_sums_are_decided_as_in_the_reference(both):
    chosen = random.Random(5)
    for _ in range(150):
        words = {"".join(chosen.choices("abcé日", k=chosen.randint(1, 5))) for _ in range(30)}
        scores = [-1.0, -2.0, -3.0, -0.1, -0.2, -0.3, -1 / 3]
        vocab = [("<unk>", 0.0), *((w, chosen.choice(scores)) for w in sorted(words))]
        pair = both(file(vocab))
        for _ in range(30):
            pair.check("".join(chosen.choices("abcé日x", k=chosen.randint(0, 40))))


def test_scores_are_read_as_the_reference_reads_them(both):
    # The second text of each line is nearer to another double than the reference's reader gives.
    digits = ["-2.0122928619384766", "-7.4370903968811035", "-3.9598512649536133", "-1e-5", "-0.0"]
    digits += [repr(-random.Random(i).random() * 15) for i in range(300)]
    entries = ",".join(f'["t{i}", {d}]' for i, d in enumerate(digits))
    text = json.dumps(file([])).replace('"vocab": []', f'"vocab": [["<unk>", 0], {entries}]')
    reference = json.loads(tokenizers.Tokenizer.from_str(text).to_str())["model"]["vocab"]
    # A score is seen through a rival: two letters at once against one by one, a hair apart.
    for (_, score), spelled in zip(reference[1:], digits, strict=True):
        for rival in (score, score * (1 + 2**-52), score * (1 - 2**-52)):
            small = json.dumps(file([["<unk>", 0.0], ["a", 0.0], ["b", rival]]))
            both(json.loads(small[:-3] + f', ["ab", {spelled}]' + small[-3:])).check("ab")


def test_unknown_characters_in_a_row_are_one_token(both):
    pair = both(file([("<unk>", -1.0), ("a", -2.0), ("b", -2.5), ("ab", -4.6)]))
    for text in (
        "日本",
        "a日本b語",
        "日",
        "ab日ab",
        "<unk>",
        "日<unk>日",
        "a<unk>",
        "\0",
        "é" * 300,
    ):
        pair.check(text)


def test_unknown_characters_that_are_a_token_together_get_its_id(both):
    both(file([("<unk>", 0.0), ("日本", -100.0), ("a", -1.0)])).check("a日本a")


def test_byte_fallback_gives_each_byte_the_whole_run(both):
    vocab = [("<unk>", 0.0), ("a", -1.0), *((f"<0x{b:02X}>", -9.0) for b in range(256))]
    for whole in (vocab, vocab[:-3]):
        pair = both(file(whole, byte_fallback=True))
        for text in ("日本", "a日b", "éa", "\x00\x7f", "a", "<0x41>"):
            pair.check(text)


def test_a_token_given_twice_counts_as_the_later(both):
    pair = both(file([("<unk>", 0.0), ("ab", -9.0), ("a", -1.0), ("b", -1.0), ("ab", -1.0)]))
    pair.check("abab")
    assert pair.ours.id_to_token(1) == "ab"
    assert pair.ours.token_to_id("ab") == 4
    assert pair.ours.vocab_size == pair.reference.get_vocab_size()


def test_without_an_unknown_token_only_covered_texts_can_be_read():
    text = json.dumps(file([["a", -1.0]], None)).encode()
    ours = _native.Tokenizer(text)
    assert ours.encode("aa") == [0, 0]
    with pytest.raises(ValueError, match="unk_id"):
        ours.encode("ab")


def test_a_whole_word_is_one_token_only_if_that_is_its_best_split(both):
    vocab = [("<unk>", 0.0), ("ab", -5.0), ("a", -1.0), ("b", -1.0), ("cd", -1.0), ("c", -1.0)]
    pair = both(file(vocab, pre_tokenizer={"type": "WhitespaceSplit"}))
    for _ in range(3):  # the answer is remembered
        pair.check("ab cd ab cd c d")


@pytest.mark.parametrize("unit", ["a", "日", "ab", "aé"])
def test_time_is_linear_in_the_length_of_a_run(unit):
    vocab = [["<unk>", 0.0], *(["a" * n, -float(n)] for n in range(1, 17)), ["b", -1.0]]
    ours = _native.Tokenizer(json.dumps(file(vocab)).encode())

    def cost(count: int) -> float:
        start = time.process_time()
        ours.encode(unit * count)
        return time.process_time() - start

    cost(1000)
    assert min(cost(400_000) for _ in range(3)) < 24 * min(cost(50_000) for _ in range(3)) + 0.05


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        ({"vocab": [["<unk>", 0.0], ["a"]]}, "a token and its score"),
        ({"vocab": [["<unk>", 0.0], [1, 2]]}, "must be a string"),
        ({"vocab": [["<unk>", "0"]]}, "must be a number"),
        ({"vocab": [["<unk>", 0.0]], "unk_id": 1}, "unk_id is 1"),
        ({"vocab": {"a": 1}}, "must be an array"),
        ({"vocab": None}, "has no vocab"),
    ],
)
def test_a_damaged_vocabulary_is_named(damage, match):
    whole = file([["<unk>", 0.0]])
    whole["model"] |= damage
    with pytest.raises(ValueError, match=match):
        _native.Tokenizer(json.dumps(whole).encode())
