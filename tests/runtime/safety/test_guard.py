"""The exposure test: nothing unsafe is ever shown, wherever the text is cut into pieces."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edgeward.safety import Check, Verdict, phrase_filter, pii_filter
from edgeward.safety.guard import Guard
from edgeward.safety.run import Runner
from edgeward.safety.verdict import Finding

BAD = "wicked plan. Do it"
TEXT = f"This is a start. And then, as they say, a {BAD} now and more. The end, which is long."


@dataclass(frozen=True)
class Places(Check):
    """Objects to one phrase, found by plain search, with its place."""

    name: str = "places"
    reach: int = len(BAD)
    timeout: float | None = None

    def score(self, text: str) -> float:
        return float(BAD in text)

    def check(self, text: str, role: str = "user") -> Verdict:
        at = text.find(BAD)
        if at < 0:
            return self.verdict_of(0.0, role)
        place = (at, at + len(BAD))
        found = (Finding(*place, "bad"),)
        return Verdict(self.name, "bad", False, 1.0, 0.5, "bad", place, found, role)


def pieces_of(text: str) -> list[list[str]]:
    cuts = [[text[:i], text[i:]] for i in range(len(text) + 1)]
    return [*cuts, list(text), [text[i : i + 3] for i in range(0, len(text), 3)], [text]]


def run(checks: list[Check], pieces: list[str], window: int = 20) -> tuple[list[str], Guard]:
    guard = Guard(checks, Runner(), window)
    shown = []
    for piece in pieces:
        shown.append(guard.push(piece))
        if guard.stopped:
            break
    shown.append(guard.finish())
    return shown, guard


@pytest.mark.parametrize("window", [0, 1, 20, 64, 500])
@pytest.mark.parametrize(
    "check", [Places(), phrase_filter([BAD]), phrase_filter(["say, a W1CKED   plan"])]
)
def test_no_character_of_a_blocked_phrase_is_shown(check: Check, window: int):
    begin = TEXT.index("say, a w") if "W1CKED" in str(check) else TEXT.index(BAD)
    for pieces in pieces_of(TEXT):
        shown, guard = run([check], pieces, window)
        assert guard.stopped
        assert TEXT.startswith("".join(shown))
        assert len("".join(shown)) <= begin
        (verdict,) = guard.verdicts
        assert (verdict.action, verdict.allowed, verdict.role) == ("block", False, "assistant")


def test_what_is_allowed_is_shown_whole_and_held_back_no_further_than_told():
    harmless = TEXT.replace(BAD, "fine idea")
    for pieces in pieces_of(harmless):
        shown, guard = run([Places(reach=0)], pieces, window=20)
        assert "".join(shown) == harmless
        assert not guard.stopped
    guard = Guard([Places(reach=0)], Runner(), 20)
    said = 0
    for i, char in enumerate(harmless, 1):
        said += len(guard.push(char))
        assert i - said < 20 + 16 + 1
    assert guard.verdicts[0].allowed


def test_a_sentence_is_shown_when_it_ends():
    guard = Guard([Places(reach=0)], Runner(), 64)
    assert "".join(guard.push(c) for c in "Yes. ") == "Yes. "
    assert "".join(guard.push(c) for c in "One line\n") == "One line\n"
    assert "".join(guard.push(c) for c in "It is 3.14") == ""


@pytest.mark.parametrize("window", [0, 10, 64])
def test_personal_data_is_redacted_at_every_cut(window: int):
    text = (
        "Write to jo.smith@example.org. Or pay DE89 3704 0044 0532 0130 00, card "
        "4111 1111 1111 1111 (call +1 212 555 0175). Bye"
    )
    wanted = "Write to [EMAIL]. Or pay [IBAN], card [CARD] (call [PHONE]). Bye"
    for pieces in pieces_of(text):
        shown, guard = run([pii_filter], pieces, window)
        assert "".join(shown) == wanted
        assert not any(char.isdigit() for piece in shown for char in piece)
        (verdict,) = guard.verdicts
        assert (verdict.action, len(verdict.findings)) == ("redact", 4)
        assert [text[f.begin : f.end] for f in verdict.findings][2] == "4111 1111 1111 1111"


def test_replace_says_something_else_and_report_only_tells():
    check = phrase_filter([BAD], policy="replace", replacement="No.")
    for pieces in pieces_of(TEXT):
        shown, guard = run([check], pieces)
        said = "".join(shown)
        assert guard.stopped
        assert said == "No." or said.endswith(" No.")
        assert TEXT.startswith(said.removesuffix("No.").rstrip())
    for pieces in pieces_of(TEXT):
        shown, guard = run([phrase_filter([BAD], policy="report")], pieces)
        assert "".join(shown) == TEXT
        assert guard.verdicts[0].action == "report"
        begin, end = guard.verdicts[0].span or (0, 0)
        assert TEXT[begin:end] == BAD


def test_redaction_goes_on_behind_the_finding_and_several_checks_work_together():
    shown, guard = run(
        [pii_filter, phrase_filter(["more"], policy="redact", name="words")],
        list("a@b.org and more of it. No more!"),
    )
    assert "".join(shown) == "[EMAIL] and [WORDS] of it. No [WORDS]!"
    assert [v.check for v in guard.verdicts] == ["pii", "words"]


@dataclass(frozen=True)
class Broken(Check):
    """Raises when it sees a word."""

    name: str = "broken"

    def score(self, text: str) -> float:
        if "then" in text:
            raise RuntimeError("no luck")
        return 0.0


@pytest.mark.parametrize("timeout", [None, 1000.0])
def test_a_check_that_fails_is_closed_or_open_as_told(timeout: float | None):
    for pieces in pieces_of(TEXT):
        shown, guard = run([Broken(timeout=timeout)], pieces[:40])
        if "then" in "".join(pieces[:40]):
            assert guard.stopped
            assert "then" not in "".join(shown)
            (verdict,) = guard.verdicts
            assert verdict.failed
            assert "raised RuntimeError: no luck" in verdict.reason
    shown, guard = run([Broken(timeout=timeout, on_failure="allow")], list(TEXT))
    assert "".join(shown) == TEXT
    assert guard.verdicts[0].failed
    assert guard.verdicts[0].allowed


@pytest.mark.parametrize("word", ["说", "word ", "x", "é"])
def test_a_long_reply_costs_no_more_at_its_end(word: str):
    check = pii_filter
    stream = check.stream()
    for _ in range(6000):
        stream.push(word)
        assert len(stream._tail) < 4096
    stream.push("a@b.org ok")
    assert [f.category for f in stream.verdict(True).findings] == ["email"]
    assert stream.verdict(True).findings[0].end == 6000 * len(word) + 7
