"""Fuzzes the tokenizer: damaged files must be refused or load, ids must be the reference's.

    python tests/fuzz/tokenizer_fuzz.py --seconds 60 [--seed 1] [--findings build/fuzz]

Needs the test extra. Every case is written to <findings>/case before it runs, so that a crash
leaves its cause behind; what else is found is kept beside it, and the exit status is 1. Under the
sanitizers: `make fuzz`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import tokenizers

sys.path.insert(0, str(Path(__file__).parent))
import cases

from edgeward import Tokenizer
from edgeward.errors import TokenizerError

SLOW = 20.0  # seconds of the processor: no case may take as long, sanitizers included
IDS = 1 << 10


class Fuzzer:
    """One run: a random source, where findings go, and how often each thing was done."""

    def __init__(self, seed: int, findings: Path) -> None:
        self.rng = random.Random(seed)
        self.findings = findings
        self.done: Counter[str] = Counter()
        self.found = 0
        findings.mkdir(parents=True, exist_ok=True)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        steps = (self.damaged_json, self.damaged_json, self.against_the_reference)
        containers = (self.damaged_model, self.damaged_gguf)
        while time.monotonic() < end:
            for step in (*steps, self.rng.choice(containers)):
                begin = time.process_time()
                step()
                if (took := time.process_time() - begin) > SLOW:
                    self.report("slow", f"{step.__name__} took {took:.0f} s")
                self.done[step.__name__] += 1

    def report(self, kind: str, what: str, *content: bytes) -> None:
        self.found += 1
        print(f"found {kind}: {what}", file=sys.stderr, flush=True)
        case = (self.findings / "case").read_bytes()
        for number, part in enumerate(content or (case,)):
            (self.findings / f"{kind}-{self.found}-{number}").write_bytes(part)

    def load(self, content: bytes, name: str = "tokenizer.json") -> Tokenizer | None:
        """The tokenizer of a file, or None where it is refused as it should be."""
        file = self.findings / "case"
        file.write_bytes(content)
        try:
            if name == "tokenizer.json":
                return Tokenizer(content)
            linked = self.findings / name
            linked.write_bytes(content)
            return Tokenizer.from_file(linked)
        except TokenizerError:
            return None
        except Exception as error:
            self.report("error", f"{type(error).__name__}: {error}", content)
            return None

    def use(self, tokenizer: Tokenizer) -> None:
        """Whatever a damaged file says, using it ends in a result or in a TokenizerError."""
        try:
            for _ in range(3):
                text = cases.text(self.rng)
                ids = tokenizer.encode(text)
                if len(ids) != len(tokenizer.offsets(text)):
                    self.report("offsets", "encode and offsets differ")
                tokenizer.decode(ids)
            ids = [self.rng.randrange(IDS) for _ in range(20)]
            whole = tokenizer.decode(ids)
            stream = tokenizer.stream()
            pieces = "".join([stream.push(id) for id in ids]) + stream.finish()
            if pieces != whole:
                self.report("stream", f"{pieces!r} is not {whole!r}")
        except TokenizerError:
            pass
        except Exception as error:
            self.report("use", f"{type(error).__name__}: {error}")

    def damaged_json(self) -> None:
        file = self.rng.choice(cases.FILES)(self.rng)
        if self.rng.random() < 0.7:
            file = cases.damage_values(self.rng, file)
        content = cases.as_bytes(self.rng, file)
        if self.rng.random() < 0.5:
            content = cases.damage_bytes(self.rng, content)
        tokenizer = self.load(content)
        if tokenizer is not None:
            self.done["damaged but read"] += 1
            self.use(tokenizer)

    def damaged_model(self) -> None:
        """A SentencePiece model of a few pieces."""
        pieces = [("<unk>", 2), ("<s>", 3), ("[X]", 4), *((c, 1) for c in "\u2581abehtn")]
        pieces += [("".join(self.rng.choices("abehtn", k=2)), 1) for _ in range(6)]
        content = bytearray()
        for text, kind in dict(pieces).items():
            body = bytes([0x0A, len(text.encode()), *text.encode(), 0x15, 0, 0])
            body += bytes([self.rng.randrange(256), 0xC0, 0x18, kind])
            content += bytes([0x0A, len(body)]) + body
        content += bytes([0x12, 2, 0x18, self.rng.choice((1, 2))])
        content += bytes([0x1A, 2, 0x20, self.rng.choice((0, 0, 1))])
        damaged = bytes(content)
        if self.rng.random() < 0.8:
            damaged = cases.damage_bytes(self.rng, damaged)
        tokenizer = self.load(damaged, "case.model")
        if tokenizer is not None:
            self.done["damaged but read"] += 1
            self.use(tokenizer)

    def damaged_gguf(self) -> None:
        def text(value: str) -> bytes:
            raw = value.encode()
            return len(raw).to_bytes(8, "little") + raw

        def key(name: str, kind: int, value: bytes) -> bytes:
            return text(f"tokenizer.ggml.{name}") + kind.to_bytes(4, "little") + value

        def array(kind: int, values: list[bytes]) -> bytes:
            return kind.to_bytes(4, "little") + len(values).to_bytes(8, "little") + b"".join(values)

        tokens = ["<s>", *cases.byte_characters(), "he", "th", "\u2581"]
        keys = [
            key("model", 8, text(self.rng.choice(("gpt2", "llama", "bert", "t5")))),
            key("pre", 8, text(self.rng.choice(("gpt-2", "smollm", "mpt", "llama-bpe")))),
            key("tokens", 9, array(8, [text(t) for t in tokens])),
            key("merges", 9, array(8, [text("h e"), text("t h")])),
            key("scores", 9, array(6, [b"\0\0\x80\xbf"] * len(tokens))),
        ]
        content = b"GGUF" + (3).to_bytes(4, "little") + bytes(8)
        content += len(keys).to_bytes(8, "little") + b"".join(keys)
        if self.rng.random() < 0.8:
            content = cases.damage_bytes(self.rng, content)
        tokenizer = self.load(content, "case.gguf")
        if tokenizer is not None:
            self.done["damaged but read"] += 1
            self.use(tokenizer)

    def against_the_reference(self) -> None:
        """A whole file: ids, offsets, text and streamed text are those of Hugging Face."""
        content = json.dumps(self.rng.choice(cases.FILES)(self.rng)).encode()
        tokenizer = self.load(content)
        try:
            reference = tokenizers.Tokenizer.from_str(content.decode())
        except Exception as error:
            if tokenizer is not None:
                self.report("accepts", f"the reference says {error}", content)
            return None
        if tokenizer is None:
            return self.report("refuses", "the reference reads this file", content)
        for _ in range(40):
            text = cases.text(self.rng, "abehtn 1'=\u00e9\u4e2d")
            self.done["texts compared"] += 1
            try:
                different = self.compare(tokenizer, reference, text)
            except BaseException as error:
                # A panic of the reference is no Exception; what it panics at has no right answer.
                if type(error).__name__ != "PanicException":
                    raise
                self.done["the reference panicked"] += 1
                continue
            if different is not None:
                self.report("differs", different, content, text.encode())
        return None

    @staticmethod
    def compare(tokenizer: Tokenizer, reference: Any, text: str) -> str | None:
        expected = reference.encode(text)
        ids = tokenizer.encode(text)
        if ids != expected.ids:
            return f"ids of {text!r}: {ids}, not {expected.ids}"
        offsets = tokenizer.offsets(text)
        if offsets != expected.offsets:
            return f"offsets of {text!r}: {offsets}, not {expected.offsets}"
        whole = reference.decode(ids, skip_special_tokens=False)
        if (decoded := tokenizer.decode(ids, skip_special_tokens=False)) != whole:
            return f"text of {ids}: {decoded!r}, not {whole!r}"
        try:
            stream = tokenizer.stream(skip_special_tokens=False)
        except TokenizerError:
            return None  # the decoder cannot stream; it says so
        pieces = "".join([stream.push(id) for id in ids]) + stream.finish()
        return None if pieces == whole else f"stream of {ids}: {pieces!r}, not {whole!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="a random one if left out")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    fuzzer = Fuzzer(seed, given.findings)
    fuzzer.run(given.seconds)
    print(f"{fuzzer.found} findings; {dict(fuzzer.done)}")
    return 1 if fuzzer.found else 0


if __name__ == "__main__":
    sys.exit(main())
