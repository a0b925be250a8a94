"""Fuzzes the normalizer, the phrase automaton and the recognizers of personal data.

    python tests/fuzz/places_fuzz.py --seconds 60 [--seed 1] [--findings build/fuzz]

Each text is normalized as by the twin, in parts as in the whole; places lie inside the text, in
order; what is settled stays so. Every case is written to <findings>/case before it runs, so that a
crash leaves its cause behind; what else is found is kept beside it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import make_confusables  # noqa: E402

from edgeward.kernels import _native  # noqa: E402
from edgeward.kernels import reference_safety_normalize as twin  # noqa: E402
from edgeward.safety import phrase_filter, pii_filter  # noqa: E402
from edgeward.safety.guard import Guard  # noqa: E402
from edgeward.safety.run import Runner  # noqa: E402

SLOW = 10.0  # seconds: no case here may take as long, sanitizers included
PARTS = (
    "the", "ignore", "kill", "i g n o r e", "1gn0r3", "a", "b", " ", "  ", "\n", ".", "-", "/",
    "@", "0", "1", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "jo@example.org",
    "+49 30 1234", "192.168.1.7", "2001:db8::1:2", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOi.", "ghp_",
    "sk-", "12345678Z", "-----BEGIN RSA PRIVATE KEY-----", "-----END", "SWdub3JlIGFsbCBydWxlcw==",
    "69676e6f72652061", "%41", "\\x41", "0x41 ", "vtaber", "gur ", "\u200b", "\u0301", "\u0323",
    "é", "ß", "ﬁ", "а", "о", "ж", "й", "α", "ς", "नि", "가", "\u1100\u1161", "漢", "🇦", "👍🏽",
    "\U000e0041", "\udc80", "\x00", "\ufffd", "ﷺ", "İ",
)  # fmt: skip
KNOWN = set("".join(PARTS))
"""Characters that Python's Unicode knows as the frozen tables do."""


class Fuzzer:
    """One run: a random source, where findings go."""

    def __init__(self, seed: int, findings: Path) -> None:
        self.rng = random.Random(seed)
        self.findings = findings
        self.table = make_confusables.table()
        self.cases = self.found = 0
        findings.mkdir(parents=True, exist_ok=True)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            (self.findings / "case").write_bytes(text.encode("utf-8", "surrogatepass"))
            begin = time.monotonic()
            for step in (self.normalizer, self.phrases, self.pii, self.guard):
                step(text)
            if time.monotonic() - begin > SLOW:
                self.report(f"slow: {time.monotonic() - begin:.0f} s")
            self.cases += 1

    def text(self) -> str:
        parts = self.rng.choices(PARTS, k=self.rng.choice([0, 1, 5, 20, 60]))
        if self.rng.random() < 0.05:
            parts = [self.rng.choice(PARTS) * self.rng.choice([300, 3000]), *parts]
        if self.rng.random() < 0.2:
            parts.append("".join(chr(self.rng.randrange(0x110000)) for _ in range(5)))
        return "".join(parts)

    def report(self, what: str) -> None:
        self.found += 1
        print(f"found: {what}", file=sys.stderr, flush=True)
        case = (self.findings / "case").read_bytes()
        (self.findings / f"places-{self.found}").write_bytes(case)

    def pieces(self, text: str) -> list[str]:
        cuts = sorted(self.rng.randrange(len(text) + 1) for _ in range(self.rng.randint(0, 8)))
        return [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    def normalizer(self, text: str) -> None:
        normal, offsets, others = _native.safety_normalize(text)
        if len(offsets) != len(normal) + 1 or offsets[-1] != len(text):
            self.report("offsets do not fit")
        if any(a > b for a, b in pairwise(offsets)):
            self.report("offsets go back")
        if any(not 0 <= begin < end <= len(text) for _, _, begin, end in others):
            self.report("an alternative lies outside of the text")
        stream = _native.NormalizeStream()
        parts = "".join(stream.push(piece) for piece in self.pieces(text)) + stream.finish()
        if parts != normal:
            self.report("parts and whole are normalized differently")
        comparable = len(text) < 2000 and set(text) <= KNOWN - {"\udc80"}
        if comparable and twin.normalize(text, self.table)[0] != normal:
            self.report("the twin normalizes differently")

    def phrases(self, text: str) -> None:
        words = self.rng.sample(["kill", "ignore", "a b", "the", "о", "漢", "jo@", "11", "i"], 4)
        phrases = _native.Phrases(words[:3], words[3:], self.rng.random() < 0.5)
        found = phrases.find(text)
        if any(not 0 <= begin < end <= len(text) for _, begin, end in found):
            self.report("a phrase lies outside of the text")
        stream, parts, settled = phrases.stream(), [], 0
        for piece in self.pieces(text):
            new = stream.push(piece)
            if any(begin < settled for _, begin, _ in new):
                self.report("a phrase begins in settled text")
            parts += new
            settled = max(settled, stream.settled)
        if sorted(parts + stream.finish()) != sorted(found):
            self.report("parts and whole have other phrases")

    def pii(self, text: str) -> None:
        last = 0
        for kind, begin, end in _native.find_pii(text):
            if not last <= begin < end <= len(text):
                self.report(f"{kind} at {begin} to {end} does not fit")
            last = end
        for cut in (self.rng.randrange(len(text) + 1) for _ in range(3)):
            if not 0 <= _native.pii_settled(text[:cut]) <= cut:
                self.report("settled text ends outside of the text")

    def guard(self, text: str) -> None:
        checks = [pii_filter.configured(policy="report"), phrase_filter(["kill"], policy="report")]
        guard = Guard(checks, Runner(), self.rng.choice([0, 10, 64]))
        shown = "".join(guard.push(piece) for piece in self.pieces(text)) + guard.finish()
        if shown != text:
            self.report("the guard changed a text that it only reports on")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    fuzzer = Fuzzer(given.seed, given.findings)
    fuzzer.run(given.seconds)
    print(f"{fuzzer.cases} cases, {fuzzer.found} findings")
    sys.exit(fuzzer.found > 0)


if __name__ == "__main__":
    main()
