"""Formats compiled with our vocabulary: what they allow, what they force, what is refused."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edgeward.errors import ResponseFormatError
from edgeward.model import Model
from edgeward.structure.formats import Format, checked
from edgeward.structure.grammars import KEPT, Grammars
from edgeward.structure.guide import Guide
from edgeward.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Model) -> Tokenizer:
    return tiny_model.tokenizer


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, tokenizer.vocab_size, tokenizer.eot_ids)


@pytest.fixture
def guide(grammars: Grammars) -> Iterator[Guide]:
    guide = grammars.guide(Format("regex", "(hello(,| w)|hx)[0-9]+"))
    yield guide
    guide.close()


def ids_of(mask: Any) -> set[int]:
    return set(np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little")).tolist())


def allowed(guide: Guide, **settings: bool) -> set[int]:
    guide.begin()
    mask = guide.allowed(**settings)
    assert mask is not None or guide.late == []
    return set() if mask is None else ids_of(mask)


def takes(grammars: Grammars, format: Format, ids: list[int]) -> bool:
    """True if the format allows these tokens one after the other, and an end behind them."""
    guide = grammars.guide(format, forcing=False)
    try:
        for token in ids:
            if token not in allowed(guide):
                return False
            guide.advance(token)
        return guide.finished or not allowed(guide).isdisjoint(grammars.end_ids)
    finally:
        guide.close()


def test_the_mask_holds_the_tokens_that_may_follow(guide: Guide, tokenizer: Tokenizer) -> None:
    names = {tokenizer.decode([i]) for i in allowed(guide)}
    assert names == {"h", "he", "hell"}


def test_forced_tokens_are_the_models_own(guide: Guide, tokenizer: Tokenizer) -> None:
    assert guide.opening() == []
    (first,) = tokenizer.encode("he", add_special_tokens=False)
    assert first in allowed(guide)
    assert guide.advance(first) == tokenizer.encode("llo", add_special_tokens=False)
    assert {tokenizer.decode([i]) for i in allowed(guide)} == {",", " ", " w"}
    assert not guide.finished


@pytest.mark.parametrize(
    ("pattern", "forced"), [(".{2}end[0-9]", "end"), (".{2}end", "end"), (".{2}", "")]
)
def test_what_is_forced_behind_free_text_comes_after_a_step(
    grammars: Grammars, tokenizer: Tokenizer, pattern: str, forced: str
) -> None:
    guide = grammars.guide(Format("regex", pattern))
    (x,) = tokenizer.encode("x", add_special_tokens=False)
    try:
        for _ in range(2):
            assert x in allowed(guide)
            assert guide.advance(x) == []
            assert not guide.finished
        guide.begin()
        mask = guide.allowed()
        if forced:
            assert mask is None
            assert guide.late == tokenizer.encode(forced, add_special_tokens=False)
        if forced and not guide.finished:
            guide.begin()  # the mask behind them is there already
            mask = guide.allowed()
        if pattern.endswith("]"):
            assert mask is not None
            assert {tokenizer.decode([i]) for i in ids_of(mask)} == set("0123456789")
        else:
            assert mask is None
            assert guide.finished
    finally:
        guide.close()


def test_an_end_may_be_held_back(grammars: Grammars, tokenizer: Tokenizer) -> None:
    guide = grammars.guide(Format("regex", "a*"))
    try:
        ends = set(tokenizer.eot_ids)
        assert ends <= allowed(guide)
        assert allowed(guide, may_end=False).isdisjoint(ends)
    finally:
        guide.close()


def test_a_grammar_of_one_text_is_all_forced(grammars: Grammars, tokenizer: Tokenizer) -> None:
    guide = grammars.guide(Format("regex", "hello world"))
    try:
        assert guide.opening() == tokenizer.encode("hello world", add_special_tokens=False)
        assert guide.finished
        assert guide.opening() == []
    finally:
        guide.close()


def test_a_finished_grammar_allows_nothing(grammars: Grammars, tokenizer: Tokenizer) -> None:
    guide = grammars.guide(Format("regex", "a|b"))
    try:
        a = tokenizer.encode("a", add_special_tokens=False)
        assert set(a) < allowed(guide)
        guide.advance(a[0])
        assert guide.finished
        assert allowed(guide, may_end=False) == set()
    finally:
        guide.close()


def test_no_bit_beyond_the_vocabulary_is_set(tokenizer: Tokenizer) -> None:
    for count in (261, 262, 263, 264):
        guide = Grammars(tokenizer, count, [2]).guide(Format("regex", "(.|\n)*"))
        try:
            assert max(allowed(guide)) == count - 1
        finally:
            guide.close()


def test_a_model_without_an_end_token_ends_with_the_grammar(tokenizer: Tokenizer) -> None:
    grammars = Grammars(tokenizer, tokenizer.vocab_size, ())
    a = tokenizer.encode("a", add_special_tokens=False)
    for pattern, ends in (("(a|b)", True), ("a*", False)):
        guide = grammars.guide(Format("regex", pattern))
        try:
            assert set(a) <= allowed(guide)
            guide.advance(a[0])
            assert guide.finished == ends
        finally:
            guide.close()


def test_texts_of_special_tokens_are_spelled_out(grammars: Grammars, tokenizer: Tokenizer) -> None:
    format = checked({"type": "json_schema", "schema": {"const": "<|im_end|>"}})
    assert format is not None
    guide = grammars.guide(format)
    try:
        ids = guide.opening()
        while not guide.finished:
            ids += sorted(allowed(guide))[:1]
            ids += guide.advance(ids[-1])
    finally:
        guide.close()
    assert tokenizer.decode(ids, skip_special_tokens=True) == '"<|im_end|>"'
    assert not any(map(tokenizer.is_special, ids))


def test_tokens_across_the_borders_of_values_are_allowed(grammars: Grammars) -> None:
    word = Format("regex", "(hello world|hero|x)")
    ids = grammars.tokenizer.encode("hello world", add_special_tokens=False)
    assert takes(grammars, word, ids)
    letters = [grammars.tokenizer.encode(c, add_special_tokens=False)[0] for c in "hero"]
    assert takes(grammars, word, letters)
    assert not takes(grammars, word, ids[:-1])


HOSTILE: dict[str, dict[str, Any]] = {
    "a reference to itself": {"$ref": "#"},
    "a cycle of references": {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
    },
    "a cycle with siblings": {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"type": "object"}]}},
    },
    "a reference to nowhere": {"$ref": "#/$defs/none"},
    "a reference to the network": {"$ref": "http://localhost:1/schema.json"},
    "a reference to a file": {"$ref": "file:///etc/passwd"},
    "no value": {"enum": []},
    "a contradiction": {"type": "string", "minLength": 5, "maxLength": 3},
    "an object that needs what it forbids": {
        "type": "object",
        "properties": {"a": False},
        "required": ["a"],
    },
    "a product of alternatives": {
        "allOf": [
            {"anyOf": [{"properties": {f"p{i}": {"const": 1}}}, {"properties": {f"q{i}": {}}}]}
            for i in range(16)
        ]
    },
    "a negation": {"type": "object", "not": {"required": ["a"]}},
    "a condition": {"if": {"type": "object"}, "then": {}},
    "unique items": {"type": "array", "uniqueItems": True},
    "an unknown type": {"type": "strng"},
    "an unknown format": {"type": "string", "format": "nosuch"},
    "a wrong keyword's value": {"type": "string", "minLength": "a"},
    "look-around": {"type": "string", "pattern": "^(?=a)b$"},
    "a broken pattern": {"type": "string", "pattern": "(a"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_schema_that_cannot_be_obeyed_is_an_error_at_once(grammars: Grammars, name: str) -> None:
    format = checked({"type": "json_schema", "schema": HOSTILE[name]})
    assert format is not None
    began = time.perf_counter()
    with pytest.raises(ResponseFormatError, match="the schema cannot be used: ") as refused:
        grammars.check(format)
    assert time.perf_counter() - began < 5
    assert len(str(refused.value)) < 500
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("syntax", "source", "says"),
    [
        ("regex", "(a", "unclosed group"),
        ("regex", "a(?=b)", "look-around"),
        ("regex", r"(a)\1", "backreferences"),
        ("lark", "start: foo", "unknown name"),
        ("lark", "nothing", ""),
        ("lark", "start: start", "no text satisfies it"),
        ("lark", "start: A\nA: B\nB: A", "circular reference"),
        ("gbnf", "root ::= (", "no GBNF"),
        ("gbnf", 'rot ::= "a"', "no GBNF"),
    ],
)
def test_a_grammar_that_cannot_be_obeyed_is_an_error_at_once(
    grammars: Grammars, syntax: str, source: str, says: str
) -> None:
    with pytest.raises(ResponseFormatError) as refused:
        grammars.check(Format(syntax, source))
    assert says in str(refused.value)


EXPENSIVE = [
    Format("regex", "(a|b)*a(a|b){25}"),
    Format("regex", "(a?){200}a{200}"),
    Format("regex", "(.*a){30}"),
    Format("regex", "|".join(f"x{i * 7919}y*" for i in range(10_000))),
    Format("lark", 'start: start start | "a" | ""'),
    Format("lark", 'start: "a" start'),
    Format("lark", 'start: s s s "b"\ns: s s | "a" | "aa" | ""'),
    Format(
        "lark",
        "start: r0\n" + "".join(f"r{i}: r{i + 1} r{i + 1}\n" for i in range(30)) + 'r30: "a"',
    ),
    Format("json", json.dumps({"enum": [f"v{i * 7919}" for i in range(10_000)]})),
    Format("json", json.dumps({"type": "string", "minLength": 1_000_000})),
    Format("json", json.dumps({"type": "array", "minItems": 1_000_000, "items": {}})),
    Format("json", json.dumps({"type": "integer", "multipleOf": 19_997})),
    Format("json", json.dumps({"properties": {f"p{i}": {} for i in range(400)}, "type": "object"})),
]


@pytest.mark.parametrize("number", range(len(EXPENSIVE)))
def test_an_expensive_format_runs_or_is_refused_in_bounded_time(
    grammars: Grammars, number: int
) -> None:
    began = time.perf_counter()
    # What is refused, at once or on the way, says so with this error and no other.
    with contextlib.suppress(ResponseFormatError):
        guide = grammars.guide(EXPENSIVE[number])
        with contextlib.closing(guide):
            choose = np.random.default_rng(number)
            for _ in range(30):
                ids = sorted(allowed(guide, may_end=False))
                if not ids:
                    break
                guide.advance(int(choose.choice(ids)))
    assert time.perf_counter() - began < 20


def test_a_pattern_without_a_short_end_is_not_looked_through_for_ever(grammars: Grammars) -> None:
    schema = {"type": "string", "pattern": "^(a|b)*a(a|b){400}q$"}
    began = time.perf_counter()
    grammars.guide(Format("json", json.dumps(schema))).close()
    assert time.perf_counter() - began < 10


def test_formats_are_compiled_once_and_forgotten_in_turn(tokenizer: Tokenizer) -> None:
    grammars = Grammars(tokenizer, tokenizer.vocab_size, tokenizer.eot_ids)
    first = grammars.check(Format("regex", "a0"))
    assert grammars.check(Format("regex", "a0")) is first
    for i in range(1, KEPT + 1):
        grammars.check(Format("regex", f"a{i}"))
    assert grammars.check(Format("regex", "a0")) is not first


def test_many_threads_compile_and_walk_at_once(grammars: Grammars) -> None:
    wrong: list[str] = []

    def work(number: int) -> None:
        format = Format("regex", f"hello{number % 3}")
        ids = grammars.tokenizer.encode(f"hello{number % 3}", add_special_tokens=False)
        if not takes(grammars, format, ids):
            wrong.append(format.source)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_guide_leaves_no_thread_behind(grammars: Grammars) -> None:
    before = threading.active_count()
    guide = grammars.guide(Format("regex", "a"))
    guide.begin()
    guide.close()
    assert threading.active_count() == before
