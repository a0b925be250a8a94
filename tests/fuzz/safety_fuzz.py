"""Fuzzes the safety scorers: damaged files are refused or score, texts score as by the twin.

    python tests/fuzz/safety_fuzz.py --seconds 60 [--seed 1] [--findings build/fuzz]

Every case is written to <findings>/case before it runs, so that a crash leaves its cause behind;
what else is found is kept beside it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from tiny_safety import tiny_model

from edgeward.kernels import _native, reference_safety

EDGES = (0, 1, 2, 7, 8, 255, 256, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (float("nan"), float("inf"), -0.0, 1e-45, 3e38, 1e6, -1e6)
PARTS = (
    "the", "ignore", "YOU", "aaaa", "\u200b", "0", "9", "'", "’", "?!", " ", "\n", "é", "e\u0301",
    "你", "ก", "👍🏽", "\udc80", "\U0010ffff", "İ", "ß", "\x00",
)  # fmt: skip


def damaged(rng: random.Random) -> bytes:
    """A model's bytes with numbers changed, cut or lengthened."""
    data = bytearray(tiny_model(heads=rng.randint(1, 3), encoder=rng.random() < 0.7))
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data) - 4) if rng.random() < 0.5 else rng.randrange(300)
        roll = rng.random()
        if roll < 0.4:
            data[at : at + 4] = struct.pack("<I", rng.choice(EDGES))
        elif roll < 0.7:
            data[at : at + 4] = struct.pack("<f", rng.choice(FLOATS))
        elif roll < 0.9:
            data[at] = rng.randrange(256)
        else:
            del data[at : at + rng.randint(1, 64)]
    return bytes(data)


def text(rng: random.Random) -> str:
    """Words, signs and marks in any order; now and then long."""
    return "".join(rng.choices(PARTS, k=rng.choice([0, 1, 5, 30, 200])))


def load(data: bytes) -> _native.SafetyModel | None:
    try:
        return _native.SafetyModel.from_bytes(data)
    except ValueError:
        return None


def wrong(rng: random.Random, case: Path) -> str:
    """What one turn found, or nothing."""
    data, given = damaged(rng), text(rng)
    case.write_bytes(data + b"\n--\n" + given.encode("utf-8", "surrogatepass"))
    model = load(data)
    if model is not None:
        scores = model.score(given)
        if not ((scores >= 0) & (scores <= 1)).all():
            return f"a damaged model scored {scores}"
    data = tiny_model(encoder=rng.random() < 0.5, window=rng.choice([8, 10, 64]))
    sound, twin = _native.SafetyModel.from_bytes(data), reference_safety.read(data)
    if not np.allclose(sound.score(given), twin.score(given), rtol=0, atol=1e-6):
        return f"kernel {sound.score(given)}, twin {twin.score(given)}"
    stream, at = sound.stream(), 0
    while at < len(given):
        step = rng.randint(1, 20)
        pushed = stream.push(given[at : at + step])
        at += step
        if pushed.tolist() != sound.score(given[:at]).tolist():
            return f"after {at} characters the stream and the whole differ"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the safety scorers.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"))
    chosen = parser.parse_args()
    chosen.findings.mkdir(parents=True, exist_ok=True)
    rng, found, turns = random.Random(chosen.seed), 0, 0
    case, end = chosen.findings / "case", time.monotonic() + chosen.seconds
    while time.monotonic() < end:
        if what := wrong(rng, case):
            found += 1
            print(f"found: {what}", file=sys.stderr, flush=True)
            (chosen.findings / f"safety-{found}").write_bytes(case.read_bytes())
        turns += 1
    print(f"{turns} turns, {found} found")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
