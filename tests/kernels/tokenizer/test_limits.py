"""Odd and large inputs: invalid UTF-8, surrogates, long runs, threads, arguments of other types."""

from __future__ import annotations

import gc
import sys
import threading
import time

import pytest


@pytest.mark.parametrize(
    "data",
    [b"a\xffb", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80x", b"\xf5abc"],
)
def test_bytes_are_read_as_python_reads_them_with_replacement(data, smollm2):
    assert smollm2.encode(data) == smollm2.encode(data.decode("utf-8", "replace"))
    offsets = smollm2.encode_with_offsets(data)[1]
    assert offsets == smollm2.encode_with_offsets(data.decode("utf-8", "replace"))[1]


def test_a_lone_surrogate_is_read_as_the_replacement_character(smollm2):
    assert smollm2.encode("a\ud800b\udfff") == smollm2.encode("a\ufffdb\ufffd")
    assert smollm2.encode_with_offsets("\ud800b")[1] == smollm2.encode_with_offsets("\ufffdb")[1]


@pytest.mark.parametrize("text", ["a", " ", "=", "\n", "0", "\u00e9", "\u65e5", "\U0001f600", "ab"])
def test_time_for_a_run_grows_with_its_length_not_its_square(text, smollm2):
    def seconds(count):
        start = time.process_time()
        smollm2.encode(text * count)
        return time.process_time() - start

    small = max(min(seconds(20_000) for _ in range(3)), 1e-4)
    large = min(seconds(320_000) for _ in range(2))
    # 16 times the text; a quadratic algorithm would take 256 times as long.
    assert large < 90 * small


def test_one_object_serves_many_threads(corpus, smollm2):
    texts = list(corpus.values())[:300]
    expected = [smollm2.encode(text) for text in texts]
    failures = []

    def work():
        for text, ids in zip(texts, expected, strict=True):
            if smollm2.encode(text) != ids or smollm2.decode(ids, False) is None:
                failures.append(text)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_other_threads_run_during_a_long_call(smollm2):
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    text = "\u65e5\u672c" * 400_000
    start = time.perf_counter()
    smollm2.encode_with_offsets(text[:1])
    smollm2.encode_batch([text], threads=1)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 3


@pytest.mark.parametrize("value", [None, 1, ["a"], bytearray(b"a"), memoryview(b"a")])
def test_what_is_no_text_is_a_type_error(value, smollm2):
    with pytest.raises(TypeError):
        smollm2.encode(value)
    with pytest.raises(TypeError):
        smollm2.encode_batch(["a", value])


def test_one_text_is_no_batch(smollm2):
    with pytest.raises(TypeError, match="sequence of texts"):
        smollm2.encode_batch("abc")
    assert smollm2.encode_batch([]) == []


@pytest.mark.parametrize("threads", [0, 257])
def test_thread_counts_out_of_range_are_refused(threads, smollm2):
    with pytest.raises(ValueError, match="from 1 to 256"):
        smollm2.encode_batch(["a"], threads=threads)


@pytest.mark.parametrize("id", [-1, 2**32, 2**80, -(2**80)])
def test_ids_out_of_range_are_refused_by_name(id, smollm2):
    with pytest.raises(ValueError, match=f"token id {id} is out of range"):
        smollm2.decode([1, id])


def test_ids_that_are_no_token_are_left_out(smollm2, smollm2_reference):
    ids = [19556, 49152, 905, 2**32 - 1]
    assert smollm2.decode(ids) == smollm2_reference.decode(ids) == "Hello world"
    assert smollm2.token_bytes(2**31) == b""
    assert smollm2.id_to_token(49152) is None


def test_lookups_agree_with_the_reference(smollm2, smollm2_reference):
    assert smollm2.vocab_size == smollm2_reference.get_vocab_size()
    for token, id in smollm2_reference.get_vocab().items():
        assert smollm2.token_to_id(token) == id
        assert smollm2.id_to_token(id) == token
    assert smollm2.token_to_id("no such token") is None
    special = {t.content for t in smollm2_reference.get_added_tokens_decoder().values()}
    assert {content for _, content, _ in smollm2.added_tokens} == special
    assert smollm2.is_special(2)
    assert not smollm2.is_special(19556)


def test_references_do_not_leak(smollm2):
    text = "".join(["hello w\u00f6rld ", "\u65e5\u672c"])
    before = sys.getrefcount(text)
    for _ in range(100):
        smollm2.encode_with_offsets(text)
        smollm2.encode_batch([text, text])
        smollm2.decode(smollm2.encode(text))
    gc.collect()
    assert sys.getrefcount(text) == before


def test_the_pairs_of_a_large_text_are_python_s_own(smollm2):
    # Enough of them to ask for huge pages; each round frees what the one before used.
    text = "\u4e2d1" * 90_000
    for _ in range(3):
        pairs = smollm2.offsets(text)
        assert len(pairs) >= 180_000
        assert all(type(pair) is tuple and len(pair) == 2 for pair in pairs)
        kept = pairs[::1000]
        assert kept == [(begin, begin + 1) for begin, _ in kept]
        assert pairs[-1] == (len(text) - 1, len(text))
        assert gc.isenabled()
        del pairs
        # What is kept lies in arenas of which most is free again.
        assert [list(range(10)) for _ in range(10_000)][-1][-1] == 9
        assert kept == [(begin, begin + 1) for begin, _ in kept]
