"""Made recordings: samples with noise like a busy machine's, nothing measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeward.bench.records import FORMAT, Header, Recorder, Recording, Subject


def header(*arms: str, name: str = "made") -> Header:
    """Of a pack that was never there."""
    of = Subject(name, "0" * 64, "fused", 2, 250_000_000, 96_000_000, 134_000_000)
    machine = {"processor": "made", "instruction_set": "none", "physical_cores": 2}
    subjects = dict.fromkeys(arms or ("",), of)
    return Header(format=FORMAT, command="ab", started="", machine=machine, subjects=subjects)


def busy(random: np.random.Generator, count: int) -> np.ndarray:
    """Logarithms of how much slower a busy machine is, turn by turn: it drifts, swings, jumps."""
    drift = np.cumsum(random.normal(0, 0.01, count))
    swing = 0.1 * np.sin(np.arange(count) / random.uniform(5, 40) + random.uniform(0, 6))
    jumps = 0.6 * (random.random(count) < 0.08) * random.random(count)
    return drift + swing + jumps + random.normal(0, 0.04, count)


def in_turns(
    seed: int, slower: Mapping[str, float], blocks: int = 60, file: Path | None = None
) -> Recording:
    """Two arms in blocks A B B A or B A A B; `slower` is how many times as long b takes."""
    random = np.random.default_rng(seed)
    noise = busy(random, 4 * blocks)
    with Recorder(file, header("a", "b")) as recorder:
        for block in range(blocks):
            order = "abba" if random.random() < 0.5 else "baab"
            for turn, arm in enumerate(order):
                level = noise[4 * block + turn]
                for metric, factor in slower.items():
                    values = 5 * np.exp(level + random.normal(0, 0.1, 8))
                    values *= factor if arm == "b" else 1.0
                    recorder.samples(metric, "ms", block, values.tolist(), arm)
    return recorder.recording


def alone(seed: int, level: float = 0.0, turns: int = 30, file: Path | None = None) -> Recording:
    """One pack with a few figures, `level` (a logarithm) slower."""
    random = np.random.default_rng(seed)
    with Recorder(file, header()) as recorder:
        for turn, noise in enumerate(random.normal(0, 0.03, turns)):
            recorder.samples("yardstick", "ms", turn, [float(np.exp(noise / 2))])
            for at in (16, 128, 512):
                took = (at * np.exp(noise + level + random.normal(0, 0.02, 1))).tolist()
                recorder.samples("prefill", "ms", turn, took, at=at)
                steps = (5 * np.exp(noise + level + random.normal(0, 0.05, 12))).tolist()
                recorder.samples("time per token", "ms", turn, steps, at=at)
            recorder.samples("first token, chat", "ms", turn, [30 * float(np.exp(noise + level))])
            recorder.samples(
                "throughput", "tokens/s", turn, [100 * float(np.exp(-level - noise))], at=1
            )
        for turn in range(3):
            recorder.samples("reading limit", "GB/s", turn, [30.0])
            recorder.samples("dot product limit", "GOP/s", turn, [400.0])
        recorder.samples("pack size", "MiB", 0, [247.0])
        recorder.note("energy: not measured; made by hand <here>.")
    return recorder.recording
