"""Merging for any rules: tiny random vocabularies against the twin and against Hugging Face."""

from __future__ import annotations

import json
import random
import threading

import pytest
import tokenizers
from bpe_file import bpe_model
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeward.kernels import _native, reference_tokenizer

LETTERS = "abc"


def bpe_json(vocab, merges, *, byte_level=True, **model):
    stage = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    stage["use_regex"] = False
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": stage if byte_level else None,
        "post_processor": None,
        "decoder": None,
        "model": bpe_model(vocab, merges, **model),
    }


@st.composite
def hostile_models(draw):
    """Merges in any order, several to one token, entries that no merge makes, missing letters."""
    words = draw(
        st.lists(st.text(LETTERS, min_size=2, max_size=9), min_size=1, max_size=24, unique=True)
    )
    tokens = [*LETTERS, *words]
    rules = [
        [word[:cut], word[cut:]]
        for word in words
        for cut in range(1, len(word))
        if word[:cut] in tokens and word[cut:] in tokens
    ]
    rules = draw(st.permutations(rules)) if rules else []
    rules = rules[: draw(st.integers(0, len(rules)))] + (rules[:2] if draw(st.booleans()) else [])
    if draw(st.booleans()) and not any("c" in rule for rule in rules):
        tokens.remove("c")
    ids = draw(st.permutations(range(len(tokens))))
    return dict(zip(tokens, ids, strict=True)), [list(rule) for rule in rules]


def twin(vocab, merges, text):
    rules = {}
    for rank, (left, right) in enumerate(merges):
        rules[vocab[left], vocab[right]] = (rank, vocab[left + right])
    return reference_tokenizer.merge([vocab[c] for c in text if c in vocab], rules)


@settings(max_examples=250, deadline=None)
@given(hostile_models(), st.lists(st.text(LETTERS, max_size=200), max_size=6), st.booleans())
def test_any_rules_give_the_ids_of_the_twin_and_of_the_reference(model, texts, byte_level):
    vocab, merges = model
    file = json.dumps(bpe_json(vocab, merges, byte_level=byte_level))
    ours = _native.Tokenizer(file.encode())
    plain = _native.Tokenizer(file.encode(), cache=False)
    reference = tokenizers.Tokenizer.from_str(file)
    # The entries themselves show which are whole words; the second round meets the cache.
    for text in [*vocab, *texts] * 2:
        expected = reference.encode(text)
        assert ours.encode(text) == plain.encode(text) == expected.ids == twin(vocab, merges, text)
        assert ours.encode_with_offsets(text) == (expected.ids, expected.offsets)


@st.composite
def rows_of_runs(draw):
    """More than 64 symbols, nearly all of them equal."""
    first, last = draw(st.text(LETTERS, max_size=3)), draw(st.text(LETTERS, max_size=3))
    return first + draw(st.sampled_from(LETTERS)) * draw(st.integers(60, 300)) + last


@settings(max_examples=250, deadline=None)
@given(hostile_models(), st.lists(rows_of_runs(), min_size=1, max_size=6), st.booleans())
def test_runs_of_one_letter_give_what_merging_symbol_by_symbol_gives(model, texts, byte_level):
    vocab, merges = model
    file = json.dumps(bpe_json(vocab, merges, byte_level=byte_level))
    ours = _native.Tokenizer(file.encode())
    reference = tokenizers.Tokenizer.from_str(file)
    for text in texts:
        expected = reference.encode(text)
        assert ours.encode(text) == expected.ids == twin(vocab, merges, text)
        assert ours.encode_with_offsets(text) == (expected.ids, expected.offsets)


@pytest.mark.parametrize(
    "rules",
    [
        # A merge that comes first once the one before it is done, in the middle of a run.
        ["aaa:aa+a", "aa:a+a"],
        ["aa:a+a", "aaaa:aa+aa", "aaa:aa+a"],
        ["aaaa:aa+aa", "aa:a+a"],
        ["aa:a+a", "aab:aa+b", "ab:a+b", "baa:b+aa", "baaaa:baa+aa"],
        ["aa:a+a", "aaa:a+aa"],
    ],
)
def test_rules_that_overtake_within_a_run(rules):
    merges = [rule.split(":")[1].split("+") for rule in rules]
    # A rule's sides must be in the vocabulary before what it makes; the order of rules is free.
    tokens = sorted({*"ab", *(rule.split(":")[0] for rule in rules)}, key=len)
    vocab = {token: id for id, token in enumerate(tokens)}
    file = json.dumps(bpe_json(vocab, merges))
    ours = _native.Tokenizer(file.encode())
    reference = tokenizers.Tokenizer.from_str(file)
    for size in (65, 66, 67, 100, 127, 128, 129, 1000):
        for text in ("a" * size, "b" + "a" * size, "a" * size + "b", "ba" + "a" * size + "bb"):
            assert ours.encode(text) == reference.encode(text).ids == twin(vocab, merges, text)


@settings(max_examples=80, deadline=None)
@given(
    hostile_models(),
    st.lists(st.text(LETTERS + "d\u00e9\u2581", max_size=40), max_size=6),
    st.fixed_dictionaries(
        {
            "ignore_merges": st.booleans(),
            "fuse_unk": st.booleans(),
            "unk_token": st.sampled_from([None, "a"]),
            "byte_fallback": st.booleans(),
        }
    ),
)
def test_the_options_do_what_the_reference_does(model, texts, options):
    vocab, merges = model
    for byte in "\u00e9\u2581".encode():
        vocab[f"<0x{byte:02X}>"] = len(vocab)
    file = json.dumps(bpe_json(vocab, merges, byte_level=False, **options))
    ours = _native.Tokenizer(file.encode())
    reference = tokenizers.Tokenizer.from_str(file)
    for text in [*vocab, *texts] * 2:
        expected = reference.encode(text)
        assert ours.encode(text) == expected.ids
        assert ours.encode_with_offsets(text) == (expected.ids, expected.offsets)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 257, 4097])
def test_words_around_every_size_of_the_merge_loop(size):
    random_letters = random.Random(size)
    tokens = list(LETTERS)
    merges = []
    while len(tokens) < 90:
        left, right = random_letters.choices(tokens, k=2)
        if left + right not in tokens:
            tokens.append(left + right)
            merges.append([left, right])
    random_letters.shuffle(merges)
    vocab = {token: id for id, token in enumerate(tokens)}
    file = json.dumps(bpe_json(vocab, merges))
    ours = _native.Tokenizer(file.encode())
    for text in ("a" * size, *("".join(random_letters.choices(LETTERS, k=size)) for _ in range(9))):
        ids = twin(vocab, merges, text) if size < 300 else None
        expected = tokenizers.Tokenizer.from_str(file).encode(text)
        assert ids is None or ids == expected.ids
        assert ours.encode_with_offsets(text) == (expected.ids, expected.offsets)
        assert ours.encode(text) == expected.ids


def test_a_fresh_object_met_by_many_threads_at_once_gives_the_same_ids(smollm2_json, corpus):
    texts = list(corpus.values())[:120]
    expected = _native.Tokenizer(smollm2_json, cache=False).encode_batch(texts)
    shared = _native.Tokenizer(smollm2_json)
    start = threading.Barrier(4)
    failures = []

    def work(order):
        start.wait()
        failures.extend(texts[at] for at in order if shared.encode(texts[at]) != expected[at])

    orders = [random.Random(seed).sample(range(len(texts)), len(texts)) for seed in range(4)]
    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_full_cache_changes_nothing(smollm2_json):
    cached = _native.Tokenizer(smollm2_json)
    plain = _native.Tokenizer(smollm2_json, cache=False)
    # 120,000 words that are no tokens: more than 4 MiB hold.
    words = [f" zq{n:x}vk" for n in range(0, 1_200_000, 10)]
    random.Random(1).shuffle(words)
    text = "".join(words)
    assert cached.encode(text) == plain.encode(text)
    assert cached.encode(text) == plain.encode(text)
