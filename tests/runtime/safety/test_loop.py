"""Safety in the decode loop: streams, threads, asyncio, stop strings, formats, receipts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from edgeward.cancel import CancelToken
from edgeward.errors import OptionError
from edgeward.model import Model
from edgeward.reply import Chunk, Reply
from edgeward.safety import Check, Verdict, phrase_filter, pii_filter

LETTERS = "abcdefghijklmnopqrstuvwxyz "
PROMPT = "hello world, tell me something"
ASK: dict[str, Any] = {"seed": 5, "max_tokens": 40, "ignore_eos": True}


@pytest.fixture(scope="module", autouse=True)
def letters(tiny_model: Model) -> None:
    """The tiny model says letters and spaces only, with a phrase to object to."""
    ids = [tiny_model.tokenizer.encode(char, add_special_tokens=False) for char in LETTERS]
    ASK["logit_bias"] = {token[-1]: 100.0 for token in ids}
    for ASK["seed"] in range(50):
        if phrase_in(tiny_model.generate(PROMPT, **ASK).text):
            return
    raise AssertionError("no seed gives a text with a phrase to choose")


def phrase_in(text: str) -> str:
    """Something in the middle of `text`, and only there; "" without."""
    for at in range(len(text) // 2, len(text) - 12):
        phrase = text[at : at + 5]
        if len(set(phrase)) == 5 and phrase.isalpha() and text.count(phrase) == 1:
            return phrase
    return ""


def words(*phrases: str, **settings: Any) -> Check:
    return phrase_filter(list(phrases), whole_words=False, **settings)


@pytest.fixture
def plain(tiny_model: Model) -> Reply:
    """The answer without checks."""
    return tiny_model.generate(PROMPT, **ASK)


@pytest.fixture
def bad(plain: Reply) -> str:
    """Something that the model says in the middle of its answer, and only there."""
    return phrase_in(plain.text)


def test_an_allowed_answer_is_the_same_with_verdicts(tiny_model: Model, plain: Reply):
    reply = tiny_model.generate(PROMPT, safety_checks=[words("zzzqqq")], **ASK)
    assert (reply.text, reply.token_ids) == (plain.text, plain.token_ids)
    assert reply.finish_reason == plain.finish_reason
    assert [(v.role, v.allowed) for v in reply.safety] == [("user", True), ("assistant", True)]
    assert 0 < reply.timing.safety < reply.timing.total
    assert plain.timing.safety == 0
    assert plain.safety == ()


def test_a_blocked_answer_ends_before_the_phrase(tiny_model: Model, plain: Reply, bad: str):
    chunks: list[Chunk] = []
    stream = tiny_model.generate(PROMPT, stream=True, safety_checks=[words(bad)], **ASK)
    chunks += stream
    reply = stream.reply
    shown = "".join(chunk.text for chunk in chunks)
    assert reply.finish_reason == chunks[-1].finish_reason == "safety"
    assert reply.text == shown
    assert plain.text.startswith(shown)
    assert len(shown) <= plain.text.index(bad)
    ids = [token for chunk in chunks for token in chunk.token_ids]
    assert tuple(ids) == reply.token_ids == plain.token_ids[: len(ids)]
    assert shown.startswith(tiny_model.tokenizer.decode(ids))
    assert reply.usage.completion_tokens > len(ids)
    verdict = reply.safety[-1]
    assert (verdict.action, verdict.role, verdict.allowed) == ("block", "assistant", False)
    assert verdict.span is not None
    assert plain.text[slice(*verdict.span)] == bad


def test_streamed_or_not_makes_no_difference(tiny_model: Model, bad: str):
    checks = [words(bad)]
    whole = tiny_model.generate(PROMPT, safety_checks=checks, **ASK)
    piecewise = tiny_model.generate(PROMPT, stream=True, safety_checks=checks, **ASK).result()
    assert (whole.text, whole.token_ids) == (piecewise.text, piecewise.token_ids)
    assert asyncio.run(tiny_model.agenerate(PROMPT, safety_checks=checks, **ASK)).text == whole.text


def test_redacted_text_is_shown_under_a_name_and_its_tokens_are_not(
    tiny_model: Model, plain: Reply, bad: str
):
    check = words(bad, policy="redact", name="secret")
    reply = tiny_model.generate(PROMPT, safety_checks=[check], logprobs=1, **ASK)
    assert reply.text == plain.text.replace(bad, "[SECRET]")
    assert reply.finish_reason == plain.finish_reason
    assert bad not in tiny_model.tokenizer.decode(list(reply.token_ids))
    assert set(reply.token_ids) < set(plain.token_ids) or len(reply.token_ids) < len(
        plain.token_ids
    )
    assert reply.logprobs is not None
    assert tuple(entry.id for entry in reply.logprobs) == reply.token_ids


def test_a_replacement_is_said_instead(tiny_model: Model, bad: str):
    check = words(bad, policy="replace", replacement="I would rather not.")
    reply = tiny_model.generate(PROMPT, safety_checks=[check], **ASK)
    assert reply.finish_reason == "safety"
    assert reply.text.endswith("I would rather not.")


def test_a_blocked_prompt_reaches_no_model(tiny_model: Model):
    reply = tiny_model.generate("say the magic word", safety_checks=[words("magic")], **ASK)
    assert (reply.text, reply.token_ids, reply.finish_reason) == ("", (), "safety")
    assert reply.usage.completion_tokens == 0
    assert reply.timing.prefill == 0
    (verdict,) = reply.safety
    assert (verdict.role, verdict.action, verdict.span) == ("user", "block", (8, 13))
    stream = tiny_model.generate("magic", stream=True, safety_checks=[words("magic")])
    assert [chunk.finish_reason for chunk in stream] == ["safety"]
    sorry = words("magic", policy="replace", replacement="No magic.")
    assert tiny_model.generate("magic", safety_checks=[sorry]).text == "No magic."


def test_a_redacted_prompt_is_what_the_model_gets(tiny_model: Model):
    secret = tiny_model.generate("I am jo@example.org, hi", safety_checks=[pii_filter], **ASK)
    named = tiny_model.generate("I am [EMAIL], hi", **ASK)
    assert secret.receipt.prompt_sha256 == named.receipt.prompt_sha256
    ids = tiny_model.tokenizer.encode("I am jo@example.org, hi")
    assert tiny_model.generate(ids, safety_checks=[pii_filter], **ASK).finish_reason == "safety"


def test_roles_decide_which_messages_are_checked(tiny_model: Model):
    messages = [
        {"role": "system", "content": "Never say magic."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "magic"},
        {"role": "user", "content": "And now magic, please"},
    ]
    reply = tiny_model.chat(messages, safety_checks=[words("magic")], max_tokens=4)
    assert (reply.finish_reason, reply.safety[0].message) == ("safety", 3)
    for role, stopped in (("system", 0), ("tool", None)):
        check = words("magic", roles=(role,))
        reply = tiny_model.chat(messages, safety_checks=[check], max_tokens=4, seed=1)
        assert (reply.finish_reason == "safety") == (stopped is not None)
        if stopped is not None:
            assert reply.safety[0].message == stopped


def test_stop_strings_and_safety_agree(tiny_model: Model, plain: Reply, bad: str):
    at = plain.text.index(bad)
    stop = plain.text[at : at + 12]
    # The phrase is cut away by the stop string: it never was a part of the answer.
    reply = tiny_model.generate(PROMPT, stop=[stop], safety_checks=[words(bad)], **ASK)
    assert reply.finish_reason == "stop"
    assert bad not in reply.text
    # The stop string comes behind the phrase.
    reply = tiny_model.generate(
        PROMPT, stop=[plain.text[at + 7 :]], safety_checks=[words(bad)], **ASK
    )
    assert reply.finish_reason == "safety"
    assert reply.stopped_by is None
    assert len(reply.text) <= at


def test_structured_output_is_guarded(tiny_model: Model):
    format_ = {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"mail": {"const": "jo@example.org"}},
            "required": ["mail"],
            "additionalProperties": False,
        },
    }
    ask = {"response_format": format_, "max_tokens": 60, "seed": 1}
    assert tiny_model.generate(PROMPT, **ask).parsed == {"mail": "jo@example.org"}
    redacted = tiny_model.generate(PROMPT, safety_checks=[pii_filter], **ask)
    assert redacted.parsed == {"mail": "[EMAIL]"}
    assert "jo@" not in redacted.text
    blocked = tiny_model.generate(PROMPT, safety_checks=[pii_filter.with_policy("block")], **ask)
    assert (blocked.finish_reason, blocked.parsed) == ("safety", None)
    assert "jo@" not in json.dumps(
        [blocked.text, tiny_model.tokenizer.decode(list(blocked.token_ids))]
    )


def test_a_cancelled_answer_is_checked_too(tiny_model: Model, plain: Reply, bad: str):
    token = CancelToken()
    stream = tiny_model.generate(
        PROMPT, stream=True, cancel=token, safety_checks=[words(bad)], safety_window=2000, **ASK
    )
    token.cancel()
    reply = stream.result()
    assert reply.finish_reason in ("cancelled", "safety")
    assert bad not in reply.text


@dataclass(frozen=True)
class Cancels(Check):
    """Cancels the request from inside."""

    name: str = "cancels"
    token: CancelToken | None = None
    timeout: float | None = None

    def score(self, text: str) -> float:
        assert self.token is not None
        self.token.cancel()
        return 0.0


def test_cancel_from_a_check_ends_the_answer(tiny_model: Model):
    token = CancelToken()
    check = Cancels(token=token, roles=("assistant",))
    reply = tiny_model.generate(PROMPT, cancel=token, safety_checks=[check], safety_window=4, **ASK)
    assert reply.finish_reason == "cancelled"
    assert reply.usage.completion_tokens < 40


@dataclass(frozen=True)
class Fails(Check):
    name: str = "fails"

    def score(self, text: str) -> float:
        raise OSError("model file gone")


def test_a_failing_check_closes_or_is_reported(tiny_model: Model, plain: Reply):
    closed = tiny_model.generate(PROMPT, safety_checks=[Fails()], **ASK)
    assert (closed.finish_reason, closed.text) == ("safety", "")
    assert "raised OSError: model file gone" in closed.safety[0].reason
    opened = tiny_model.generate(PROMPT, safety_checks=[Fails(on_failure="allow")], **ASK)
    assert opened.text == plain.text
    assert [v.failed for v in opened.safety] == [True, True]


def test_a_receipt_replays_with_its_checks(tiny_model: Model, bad: str):
    checks = [words(bad), pii_filter]
    first = tiny_model.generate(
        PROMPT, safety_checks=checks, max_tokens=40, ignore_eos=True, seed=5
    )
    again = tiny_model.generate(PROMPT, safety_checks=checks, **first.receipt.sampling)
    assert (again.text, again.token_ids, again.safety) == (
        first.text,
        first.token_ids,
        first.safety,
    )
    assert [entry["name"] for entry in first.receipt.safety] == ["phrases", "pii"]
    assert first.receipt.safety[1]["policy"] == "redact"
    json.dumps(first.receipt.safety)


def test_a_beam_search_says_that_it_takes_no_checks(tiny_model: Model):
    with pytest.raises(OptionError, match="takes no safety_checks"):
        tiny_model.generate(PROMPT, num_beams=2, safety_checks=[pii_filter], max_tokens=4)


def test_no_checks_is_no_guard(tiny_model: Model, plain: Reply):
    assert tiny_model.generate(PROMPT, safety_checks=[], **ASK).text == plain.text


def test_a_verdict_of_another_kind_is_a_failure(tiny_model: Model):
    class Wrong:
        name = "wrong"

        def score(self, text: str) -> float:
            return 0.0

        def check(self, text: str, role: str) -> Verdict:
            return "fine"  # type: ignore[return-value]

    reply = tiny_model.generate(PROMPT, safety_checks=[Wrong()], **ASK)
    assert reply.finish_reason == "safety"
    assert "not a Verdict" in reply.safety[0].reason
