"""Whole answers under a format: valid, or saying why not; the other settings beside it."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import edgeward
from edgeward.cancel import CancelToken
from edgeward.errors import OptionError, ResponseFormatError
from edgeward.model import Model
from edgeward.structure.shape import parsed

PROMPT = "hello world, tell me something"
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "size": {"type": "integer", "minimum": -20, "maximum": 300},
        "kinds": {"type": "array", "items": {"enum": ["a", "bb", None, 3]}, "maxItems": 3},
        "inner": {"type": "object", "additionalProperties": False, "properties": {}},
    },
    "required": ["name", "size", "kinds"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "schema": SCHEMA}
DIGITS = {"type": "regex", "pattern": "[0-9]{2,6}(-[0-9]{3})?"}


@pytest.mark.parametrize("seed", range(12))
def test_an_answer_validates(tiny_model: Model, seed: int) -> None:
    reply = tiny_model.generate(PROMPT, response_format=FORMAT, seed=seed, temperature=1.5)
    assert reply.finish_reason == "stop"
    assert reply.parsed == json.loads(reply.text)
    jsonschema.validate(reply.parsed, SCHEMA)
    assert reply.usage.forced_tokens > 0
    assert len(reply.timing.per_token) == len(reply.token_ids) == reply.usage.completion_tokens
    assert 0 < len(reply.timing.host) < len(reply.token_ids)
    assert reply.text == tiny_model.tokenizer.decode(list(reply.token_ids))


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        (DIGITS, DIGITS["pattern"]),
        ({"type": "grammar", "grammar": 'start: "x" NUM+\nNUM: /[0-9]/ ","'}, "x([0-9],)+"),
        (
            {"type": "grammar", "syntax": "gbnf", "grammar": 'root ::= "x" ("y" | "zz"){2,4}'},
            "x(y|zz){2,4}",
        ),
        ({"type": "regex", "pattern": "äö(ü|日本)ß"}, "äö(ü|日本)ß"),
    ],
)
def test_a_text_matches_its_pattern(tiny_model: Model, form: dict[str, Any], pattern: str) -> None:
    for seed in range(5):
        reply = tiny_model.generate(
            PROMPT, response_format=form, seed=seed, logit_bias={2: 3}, max_tokens=200
        )
        assert reply.finish_reason == "stop"
        assert re.fullmatch(pattern, reply.text)
        assert reply.parsed is None


def test_streaming_threads_and_cache_hits_change_no_token(tiny_pack: Path) -> None:
    setting: dict[str, Any] = {"response_format": FORMAT, "seed": 4}
    with edgeward.load(tiny_pack, threads=2) as model:
        alone = model.generate(PROMPT, **setting)
        chunks = list(stream := model.generate(PROMPT, stream=True, **setting))
        hit = stream.reply
        chat = model.chat(PROMPT, **setting)
        assert asyncio.run(model.agenerate(PROMPT, **setting)).token_ids == alone.token_ids
        assert asyncio.run(model.achat(PROMPT, **setting)).token_ids == chat.token_ids
    assert chat.parsed is not None
    assert hit.usage.cached_tokens > 0
    assert "".join(c.text for c in chunks) == hit.text
    assert sum((c.token_ids for c in chunks), ()) == hit.token_ids
    with edgeward.load(tiny_pack, threads=1) as model:
        other = model.generate(PROMPT, **setting)
    assert alone.token_ids == hit.token_ids == other.token_ids
    assert alone.parsed == hit.parsed == other.parsed


def test_the_receipt_replays_the_request(tiny_model: Model) -> None:
    first = tiny_model.generate(PROMPT, response_format=FORMAT)
    receipt = first.receipt
    again = tiny_model.generate(PROMPT, response_format=receipt.response_format, **receipt.sampling)
    assert again.token_ids == first.token_ids
    assert tiny_model.generate(PROMPT, max_tokens=1).receipt.response_format is None


def test_greedy_and_the_samplers_keep_to_the_format(tiny_model: Model) -> None:
    for setting in (
        {"temperature": 0.0},
        {"top_k": 1},
        {"top_p": 0.5, "min_p": 0.1},
        {"typical_p": 0.5},
        {"top_n_sigma": 1.0},
        {"xtc_probability": 1.0, "xtc_threshold": 0.01},
        {"mirostat_tau": 3.0},
        {"repetition_penalty": 1.5, "frequency_penalty": 1.0, "dry_multiplier": 1.0},
    ):
        reply = tiny_model.generate(PROMPT, response_format=FORMAT, seed=1, **setting)
        jsonschema.validate(reply.parsed, SCHEMA)


@pytest.mark.parametrize("limit", [1, 2, 5, 9])
def test_max_tokens_cuts_and_says_so(tiny_model: Model, limit: int) -> None:
    reply = tiny_model.generate(PROMPT, response_format=FORMAT, seed=1, max_tokens=limit)
    assert reply.finish_reason == "length"
    assert reply.parsed is None
    assert len(reply.token_ids) == limit
    whole = tiny_model.generate(PROMPT, response_format=FORMAT, seed=1)
    assert whole.text.startswith(reply.text)


FREE = {"type": "regex", "pattern": "(.{5}, and then more){2}"}


@pytest.mark.parametrize("limit", [None, *range(1, 60, 7)])
def test_forced_text_behind_free_text_is_whole_or_cut_and_said(
    tiny_model: Model, limit: int | None
) -> None:
    settings: dict[str, Any] = {"seed": 3, "temperature": 2.0, "response_format": FREE}
    whole = tiny_model.generate(PROMPT, **settings)
    assert whole.finish_reason == "stop"
    assert re.fullmatch(FREE["pattern"], whole.text)
    assert whole.usage.forced_tokens > 20
    reply = tiny_model.generate(PROMPT, max_tokens=limit, **settings)
    assert reply.token_ids == whole.token_ids[:limit]
    assert len(reply.timing.per_token) == len(reply.token_ids)
    cut = len(reply.token_ids) < len(whole.token_ids)
    assert reply.finish_reason == ("length" if cut else "stop")


def test_a_forced_answer_that_does_not_fit_is_cut_and_said(tiny_model: Model) -> None:
    form = {"type": "regex", "pattern": "hello world"}
    for limit in (1, 3):
        reply = tiny_model.generate(PROMPT, response_format=form, max_tokens=limit)
        assert (reply.finish_reason, len(reply.token_ids)) == ("length", limit)


ENDLESS = {
    "type": "object",
    "properties": {
        "story": {"type": "string", "minLength": 3},
        "number": {"type": "number"},
        "more": {"type": "array", "items": {"$ref": "#/$defs/more"}},
        "kind": {"enum": ["one", "another"]},
    },
    "required": ["story", "number", "more", "kind"],
    "additionalProperties": False,
    "$defs": {
        "more": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "on": {"type": "boolean"}},
            "required": ["name", "on"],
            "additionalProperties": {"$ref": "#"},
        }
    },
}


@pytest.mark.parametrize("limit", [70, 75, 90, 120, 121, 300])
def test_an_answer_without_end_is_closed_in_time(tiny_model: Model, limit: int) -> None:
    ends = set()
    for seed in range(4):
        reply = tiny_model.generate(
            PROMPT,
            response_format={"type": "json_schema", "schema": ENDLESS},
            seed=seed,
            max_tokens=limit,
        )
        jsonschema.validate(reply.parsed, ENDLESS)
        assert len(reply.token_ids) == reply.usage.completion_tokens <= limit
        assert len(reply.timing.per_token) == len(reply.token_ids)
        assert reply.parsed == json.loads(reply.text)
        ends.add(reply.finish_reason)
    # Within 300 tokens a random model may end of its own; which seed does depends on the graph.
    assert "length" in ends
    assert limit == 300 or ends == {"length"}


def test_with_logprobs_an_answer_is_cut_and_not_closed(tiny_model: Model) -> None:
    form = {"type": "json_schema", "schema": ENDLESS}
    reply = tiny_model.generate(PROMPT, response_format=form, max_tokens=90, logprobs=0, seed=4)
    assert (reply.finish_reason, reply.parsed, len(reply.token_ids)) == ("length", None, 90)


def test_a_text_that_may_end_anywhere_is_not_closed_early(tiny_model: Model) -> None:
    form = {"type": "regex", "pattern": "[a-z]+"}
    reply = tiny_model.generate(PROMPT, response_format=form, max_tokens=30, ignore_eos=True)
    assert (reply.finish_reason, len(reply.token_ids)) == ("length", 30)


def test_a_cut_text_is_not_parsed_even_if_it_is_json(tiny_model: Model) -> None:
    number = {"type": "json_schema", "schema": {"type": "integer", "minimum": 100}}
    reply = tiny_model.generate(PROMPT, response_format=number, max_tokens=2, seed=0)
    assert reply.finish_reason == "length"
    assert json.loads(reply.text) < 100
    assert reply.parsed is None


def test_a_stop_string_cuts_and_says_so(tiny_model: Model) -> None:
    reply = tiny_model.generate(PROMPT, response_format=FORMAT, seed=1, stop=['"size'])
    assert (reply.finish_reason, reply.stopped_by, reply.parsed) == ("stop", '"size', None)
    assert reply.text.startswith('{"name": "')
    assert reply.text.endswith(", ")
    assert tiny_model.generate(PROMPT, response_format=FORMAT, seed=1).stopped_by is None


def test_an_end_token_is_named(tiny_model: Model) -> None:
    form = {"type": "regex", "pattern": "a*"}
    reply = tiny_model.generate(PROMPT, response_format=form, logit_bias={2: 100})
    assert (reply.text, reply.token_ids, reply.stopped_by) == ("", (2,), 2)


def test_min_tokens_holds_the_end_back_while_the_grammar_goes_on(tiny_model: Model) -> None:
    for pattern, tokens in (("a*", 6), ("a{0,3}", 3)):
        reply = tiny_model.generate(
            PROMPT,
            response_format={"type": "regex", "pattern": pattern},
            min_tokens=5,
            logit_bias={2: 100},
        )
        assert reply.finish_reason == "stop"
        assert len(reply.token_ids) == tokens


def test_ignore_eos_goes_on_as_far_as_the_grammar_does(tiny_model: Model) -> None:
    settings: dict[str, Any] = {"ignore_eos": True, "logit_bias": {2: 100}, "max_tokens": 7}
    for pattern, text, ends in (("a*", "a" * 7, "length"), ("a{0,3}", "aaa", "stop")):
        form = {"type": "regex", "pattern": pattern}
        reply = tiny_model.generate(PROMPT, response_format=form, **settings)
        assert (reply.text, reply.finish_reason) == (text, ends)


def test_bans_and_bias_choose_among_what_the_grammar_allows(tiny_model: Model) -> None:
    (a,) = tiny_model.tokenizer.encode("a", add_special_tokens=False)
    form = {"type": "regex", "pattern": "[ab]{8}"}
    banned = tiny_model.generate(PROMPT, response_format=form, banned_ids=[a])
    assert banned.text == "b" * 8
    biased = tiny_model.generate(PROMPT, response_format=form, logit_bias={a: 100})
    assert biased.text == "a" * 8


def test_bans_that_leave_nothing_are_an_error_that_names_both(tiny_model: Model) -> None:
    (a,) = tiny_model.tokenizer.encode("a", add_special_tokens=False)
    with pytest.raises(ResponseFormatError, match="after 3 tokens nothing may follow that both"):
        tiny_model.generate(
            PROMPT,
            response_format={"type": "regex", "pattern": "[bc]{3}a[bc]|[bc]{3}a[de]"},
            banned_ids=[a],
            logprobs=0,
        )


def test_forced_ids_are_refused(tiny_model: Model) -> None:
    with pytest.raises(ResponseFormatError, match="leave one of them out"):
        tiny_model.generate(PROMPT, response_format=DIGITS, forced_ids=[5])


def test_with_logprobs_every_token_has_its_own(tiny_model: Model) -> None:
    reply = tiny_model.generate(PROMPT, response_format=FORMAT, seed=2, logprobs=1)
    assert reply.logprobs is not None
    assert [entry.id for entry in reply.logprobs] == list(reply.token_ids)
    assert reply.usage.forced_tokens == 0
    jsonschema.validate(reply.parsed, SCHEMA)


def test_an_impossible_format_is_refused_before_anything_is_computed(tiny_model: Model) -> None:
    with pytest.raises(OptionError, match="look-around"):
        tiny_model.generate(
            PROMPT, stream=True, response_format={"type": "regex", "pattern": "(?=a)"}
        )
    with pytest.raises(OptionError, match="Unsatisfiable"):
        tiny_model.chat(PROMPT, response_format={"type": "json_schema", "schema": {"enum": []}})


def test_a_cancelled_answer_is_not_parsed_and_leaves_no_thread(tiny_model: Model) -> None:
    before = threading.active_count()
    stream = tiny_model.generate(PROMPT, stream=True, response_format=FORMAT, cancel=CancelToken())
    next(stream)
    stream.cancel()
    reply = stream.result()
    assert (reply.finish_reason, reply.parsed) == ("cancelled", None)
    half = tiny_model.generate(PROMPT, stream=True, response_format=FORMAT)
    next(half)
    del half
    gc.collect()
    unstarted = tiny_model.generate(PROMPT, stream=True, response_format=FORMAT)
    del unstarted
    assert threading.active_count() == before


def test_numbers_and_depths_that_python_cannot_hold_are_none() -> None:
    assert parsed("9" * 5000) is None
    assert parsed("[" * 100_000 + "]" * 100_000) is None
    assert parsed('{"a": [1, null]}') == {"a": [1, None]}


def test_a_format_of_text_changes_nothing(tiny_model: Model) -> None:
    plain = tiny_model.generate(PROMPT, seed=1, max_tokens=9)
    same = tiny_model.generate(PROMPT, seed=1, max_tokens=9, response_format={"type": "text"})
    assert same.token_ids == plain.token_ids
    assert len(plain.timing.host) == len(plain.token_ids) - 1


def test_plain_requests_do_not_import_llguidance(tiny_pack: Path) -> None:
    program = (
        "import sys, edgeward; m = edgeward.load(sys.argv[1]); m.generate('a', max_tokens=2); "
        "print('llguidance' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tiny_pack)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "False\n"
