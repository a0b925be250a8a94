"""Streams of text: exact against decode(), whole characters, stop strings across tokens."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeward.kernels import reference_tokenizer
from edgeward.kernels._text import Detokenizer, TokenTable


class Bytes:
    """A tokenizer of 256 one-byte tokens, a few longer ones, and a special one."""

    LONGER = (b"he", b"llo", b" wor", b"\xe2\x82", b"\xac\xe2", b"\xf0\x9f", b"aba", b"")
    SPECIAL = 256 + len(LONGER)
    HOLE = SPECIAL + 1

    def __init__(self, before: bytes = b"", strip: str = "", strip_count: int = 0) -> None:
        self.before = before  # stands before every token but the first
        self.strip = strip
        self.strip_count = strip_count
        self.tokens = [bytes([b]) for b in range(256)] + [*self.LONGER, b"<end>", b""]

    def flags(self) -> bytes:
        return bytes([1] * (len(self.tokens) - 2) + [3, 0])

    def stream_table(self):
        rest = pack([self.before + token for token in self.tokens])
        whole = type(self) is Bytes
        pieces = *rest, *pack(self.tokens)
        return *pieces, self.flags(), whole, self.strip, self.strip_count, False, True

    def kept(self, ids, skip_special):
        return [i for i in ids if i < self.HOLE and not (skip_special and i == self.SPECIAL)]

    def decode(self, ids: list[int], skip_special: bool = True) -> str:
        tokens = [self.tokens[i] for i in self.kept(ids, skip_special)]
        return self.before.join(tokens).decode("utf-8", "replace")


class Fallback(Bytes):
    """The same, but the 256 are fallback bytes and the longer ones are text."""

    LONGER = (b"he", b"llo", b" wor", "\u20ac".encode(), b" ", b"aba", b"  x", b"")

    def flags(self) -> bytes:
        return bytes([5] * 256 + [1] * len(self.LONGER) + [3, 0])

    def decode(self, ids: list[int], skip_special: bool = True) -> str:
        text, run = "", b""
        for i in [*self.kept(ids, skip_special), None]:
            if i is not None and i < 256:
                run += self.tokens[i]
                continue
            try:
                text += run.decode()
            except UnicodeDecodeError:
                text += "\ufffd" * len(run)
            text, run = text + (self.tokens[i].decode() if i is not None else ""), b""
        for _ in range(self.strip_count):
            text = text.removeprefix(self.strip)
        return text


def pack(tokens: list[bytes]) -> tuple[bytes, bytes]:
    ends, total = [], 0
    for token in tokens:
        total += len(token)
        ends.append(total.to_bytes(4, "little"))
    return b"".join(tokens), b"".join(ends)


TABLE = TokenTable(Bytes())


def run(ids, **options):
    stream = Detokenizer(TABLE, **options)
    pieces = [stream.push(i) for i in ids]
    pieces.append(stream.finish())
    return stream, pieces


def test_a_character_is_shown_when_it_is_whole():
    assert run("\u20acx".encode())[1] == ["", "", "\u20ac", "x", ""]
    assert run([*b"\xf0\x9f\x98", 0x80])[1] == ["", "", "", "\U0001f600", ""]


def test_an_unfinished_character_at_the_end_becomes_one_replacement():
    assert run(b"a\xe2\x82")[1] == ["a", "", "", "\ufffd"]


def test_a_character_that_breaks_off_is_replaced_and_the_next_one_is_whole():
    assert "".join(run(b"\xe2\x82a\xff\xe2\x82\xac")[1]) == "\ufffda\ufffd\u20ac"


def test_a_stop_string_over_many_tokens_is_not_shown():
    stream, pieces = run(b"one STOP two", stop=["STOP"])
    assert "".join(pieces) == "one " == stream.text
    assert stream.stopped == "STOP"
    assert pieces[4:] == [""] * 9  # held back from the S on


def test_what_could_have_been_a_stop_string_is_shown_when_it_is_none():
    stream, pieces = run(b"STO STOx", stop=["STOP"])
    assert pieces == ["", "", "", "STO ", "", "", "", "STOx", ""]
    assert stream.stopped is None
    assert "".join(run(b"x ST", stop=["STOP"])[1]) == "x ST"


def test_text_behind_a_stop_string_in_the_same_token_is_cut():
    llo = 257
    stream, pieces = run([*b"he", llo, *b"more"], stop=["hel"])
    assert "".join(pieces) == ""
    assert stream.stopped == "hel"


def test_the_first_complete_stop_string_wins_and_of_those_the_longest():
    assert run(b"xabcd", stop=["abcd", "bc"])[0].stopped == "bc"
    stream, pieces = run(b"xabc", stop=["c", "bc", "abc"])
    assert stream.stopped == "abc"
    assert "".join(pieces) == "x"


def test_a_stop_string_may_be_made_of_replaced_bytes():
    stream, pieces = run(b"a\xffb", stop=["\ufffd"])
    assert "".join(pieces) == "a"
    assert stream.stopped == "\ufffd"


def test_a_stop_string_completed_by_the_end_of_the_stream():
    stream, pieces = run(b"ab\xe2", stop=["b\ufffd"])
    assert "".join(pieces) == "a"
    assert stream.stopped == "b\ufffd"


def test_special_tokens_and_holes_add_nothing():
    ids = [*b"a", Bytes.SPECIAL, Bytes.HOLE, 10_000, *b"b"]
    assert run(ids)[1] == ["a", "", "", "", "b", ""]
    assert run(ids, skip_special_tokens=False)[1] == ["a", "<end>", "", "", "b", ""]


def test_the_first_token_has_a_form_of_its_own():
    stream = Detokenizer(Bytes(b" "))
    assert [stream.push(i) for i in (*b"ab", Bytes.SPECIAL, *b"c")] == ["a", " b", "", " c"]


def test_after_the_end():
    stream, _ = run(b"a")
    assert stream.finish() == ""
    with pytest.raises(ValueError, match="finished"):
        stream.push(1)
    stopped, _ = run(b"ab", stop=["a"])
    assert stopped.push(1) == ""


def test_bad_arguments():
    with pytest.raises(ValueError, match="stop string is empty"):
        Detokenizer(TABLE, stop=["a", ""])
    with pytest.raises(TypeError, match="must be str"):
        Detokenizer(TABLE, stop=[b"a"])
    with pytest.raises(TypeError, match="not one string"):
        Detokenizer(TABLE, stop="abc")
    with pytest.raises(ValueError, match="not valid Unicode"):
        Detokenizer(TABLE, stop=["\ud800"])
    with pytest.raises(ValueError, match="limit is"):
        Detokenizer(TABLE, stop=["a" * 70_000])
    with pytest.raises(ValueError, match="negative"):
        Detokenizer(TABLE).push(-1)
    with pytest.raises(TypeError):
        Detokenizer(TABLE).push("a")
    with pytest.raises(OverflowError):
        Detokenizer(TABLE).push(2**70)


def check(ids, stop, skip, tokenizer=None):
    tokenizer = tokenizer or Bytes()
    stream = Detokenizer(tokenizer, stop=stop, skip_special_tokens=skip)
    pieces = [stream.push(i) for i in ids]
    pieces.append(stream.finish())
    expected, stopped = reference_tokenizer.stop_at(tokenizer.decode(ids, skip), stop)
    assert "".join(pieces) == expected == stream.text
    assert stream.stopped == stopped


IDS = st.lists(
    st.integers(0, Bytes.HOLE + 3)
    | st.sampled_from([*b"ab", *range(256, Bytes.HOLE + 1), *b"\xe2\x82\xac\xf0\x9f\x98\x80\xff"]),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(IDS, st.booleans())
def test_any_ids_make_the_text_of_decode(ids, skip):
    check(ids, [], skip)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([*b"ab", *b"\xe2\x82\xac", 262]), max_size=60),
    st.lists(st.text("ab\u20ac\ufffd", min_size=1, max_size=6), max_size=4),
)
def test_any_ids_with_any_stop_strings(ids, stop):
    check(ids, stop, True)


@settings(max_examples=300, deadline=None)
@given(
    IDS, st.booleans(), st.integers(0, 3), st.lists(st.sampled_from(["\u20aca", "  ", "b\ufffd"]))
)
def test_any_ids_with_fallback_bytes_and_stripping(ids, skip, count, stop):
    check(ids, stop, skip, Fallback(strip=" ", strip_count=count))


def test_a_run_of_fallback_bytes_is_shown_when_it_ends():
    stream = Detokenizer(Fallback(strip=" ", strip_count=1))
    pieces = [stream.push(i) for i in (*b" \xe2\x82\xac", 256, *b"\xe2\x82", 256)]
    assert pieces == ["", "", "", "", "\u20ache", "", "", "\ufffd\ufffdhe"]


def test_many_overlapping_stop_strings():
    rng = random.Random(3)
    for _ in range(300):
        stop = ["".join(rng.choices("ab", k=rng.randint(1, 7))) for _ in range(rng.randint(1, 6))]
        check(rng.choices(b"ab", k=40), stop, True)


def test_a_stop_string_that_almost_matches_costs_no_rescanning():
    """A run of a's against a's and one b: rescanning would be quadratic in the stop string."""
    stop = ["a" * 20_000 + "b"]
    stream = Detokenizer(TABLE, stop=stop)
    shown = sum(len(stream.push(ord("a"))) for _ in range(200_000))
    assert shown == 180_000
    assert len(stream.finish()) == 20_000


def hostile_seconds(count, stop):
    """CPU seconds for `count` tokens "a" under `stop`, the best of three."""
    taken = []
    for _ in range(3):
        stream = Detokenizer(TABLE, stop=stop)
        began = time.process_time()
        for _ in range(count):
            stream.push(ord("a"))
        taken.append(time.process_time() - began)
        assert stream.stopped is None
    return min(taken)


@pytest.mark.parametrize(
    "stop",
    [
        ["a" * 1000 + chr(0x100 + i) for i in range(60)],
        ["a" * (900 + i) + "b" for i in range(64)],
        [("a" * 100 + "b") * 10 + chr(0x100 + i) for i in range(60)],
    ],
)
def test_hostile_stop_strings_cost_linear_time(stop):
    # Twice the text costs twice as much; four times would be quadratic.
    assert hostile_seconds(20_000, stop) < 3 * hostile_seconds(10_000, stop) + 0.01
    # All of it is held back that may become one, and shown when it does not.
    stream = Detokenizer(TABLE, stop=stop)
    shown = "".join(stream.push(ord("a")) for _ in range(5000)) + stream.push(ord("x"))
    assert shown + stream.finish() == "a" * 5000 + "x"
