"""Everything of one pack in one recording: load, first token, curves, streams, memory, quality.

Knows: the public API, processes, the machine's limits. Does not know: what the samples say. Speed
never stands alone: what the pack lost against its source is taken from its manifest. Each part has
a share of the time limit and ends when its intervals are narrow or the share is spent.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import edgeward
from edgeward.errors import EdgewardError
from edgeward.kernels import _native
from edgeward.model import Model
from edgeward.service.energy import Rapl

from .. import resample
from ..environment import Watch, Yardstick, describe
from ..progress import Tell
from ..records import FORMAT, Header, Recorder, Recording
from .fresh import fresh_ids
from .model import _LOAD_PROGRAM as LOAD_PROGRAM
from .model import check_answer, prompt_ids
from .operators import made_matrix
from .subject import subject
from .text import CHAT_MESSAGES

PROMPTS = (16, 64, 128, 256, 512, 1024)
CONTEXTS = (16, 128, 512, 1024, 1900)
STREAMS = (1, 2, 4, 8)
STEPS = 16
"""Tokens of a turn of the decode curve, and of each stream."""
FEWEST, MOST = 3, 40
"""Turns of one place."""
NARROW = 0.02
"""A place is done once the interval of its median reaches no further than this to each side."""


@dataclass(frozen=True)
class Setting:
    """How long it may take in all, and on how many threads."""

    seconds: float = 240.0
    threads: int | None = None
    graph: str | None = None


class _Part:
    """Time of one place of one figure: turns until it is narrow, or its time is spent."""

    def __init__(self, recorder: Recorder, yardstick: Yardstick, seconds: float) -> None:
        self.recorder, self.yardstick, self.seconds = recorder, yardstick, seconds
        self.seen: list[float] = []
        self._count = 0

    def turns(self, share: float, metric: str, at: int | None = None) -> Iterator[int]:
        """Numbers of turns, while `metric` is not narrow; `share` of the time at most."""
        end, fresh = time.perf_counter() + share * self.seconds, 0
        while fresh < FEWEST or (time.perf_counter() < end and fresh < MOST):
            self.seen.append(self.yardstick.ms())
            self.recorder.samples("yardstick", "ms", self._count, self.seen[-1:])
            yield self._count
            self._count += 1
            fresh += 1
            samples = list(self.recorder.recording.turns(metric, at).values())
            if fresh >= 5 and samples:
                found = resample.percentile(samples, 50)
                if found.high <= found.value * (1 + NARROW) and found.low >= found.value / (
                    1 + NARROW
                ):
                    return


def run(source: str | Path, setting: Setting, file: Path | None, tell: Tell) -> Recording:
    """Measure the pack, writing every turn to `file`. Raises `EdgewardError`, `PackError`."""
    watch = Watch()
    with edgeward.load(source, threads=setting.threads, graph=setting.graph) as model:
        check_answer(model)
        header = Header(
            format=FORMAT,
            command="all",
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            machine=describe(),
            subjects={"": subject(model)},
            setting=asdict(setting),
        )
        with Recorder(file, header) as recorder:
            part = _Part(recorder, Yardstick(), setting.seconds)
            parts: list[tuple[str, Callable[[Model, _Part], None]]] = [
                ("limits of the machine", _limits),
                ("load in new processes", _load),
                ("first token of chats", _first_token),
                ("prefill by length", _prefill),
                ("decode by context", _decode),
                ("several streams", _streams),
                ("size and quality", _facts),
            ]
            for number, (name, measure) in enumerate(parts):
                tell(name, number, len(parts))
                measure(model, part)
            for text in watch.warnings(part.seen):
                recorder.note(text)
        return recorder.recording


def _limits(model: Model, part: _Part) -> None:
    """What reading memory and int8 dot products can do here, for the roofline."""
    copies = [made_matrix("q8_0", 1024, 1024, i)[-1] for i in range(64)]
    team = _native.Team(model.info.threads)
    for turn in range(5):
        amount, seconds = _native.time_read(copies, team)
        part.recorder.samples("reading limit", "GB/s", turn, [amount / seconds / 1e9])
        amount, seconds = _native.time_dots(300_000, team)
        part.recorder.samples("dot product limit", "GOP/s", turn, [amount / seconds / 1e9])


def _load(model: Model, part: _Part) -> None:
    """In processes of their own; files are in the system's cache (warm)."""
    info = model.info
    for turn in part.turns(0.15, "load"):
        words = [info.folder, str(info.threads), info.graph_kind]
        done = subprocess.run(
            [sys.executable, "-c", LOAD_PROGRAM, *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise EdgewardError(f"loading {info.folder} failed: {done.stderr[-500:]}")
        for metric, value in json.loads(done.stdout).items():
            unit = "MiB" if "memory" in metric else "ms"
            part.recorder.samples(metric, unit, turn, [value])
    part.recorder.note(
        "not measured: loading from a cold disk, since emptying the system's cache needs rights "
        "over the whole machine."
    )


def _first_token(model: Model, part: _Part) -> None:
    for turn in part.turns(0.12, "first token, chat"):
        took = []
        for number, message in enumerate(CHAT_MESSAGES):
            # The numbers keep a message from finding its own prefix in the cache.
            reply = model.chat(f"{turn}.{number} {message}", max_tokens=4)
            took.append(reply.timing.first_token)
        part.recorder.samples("first token, chat", "ms", turn, took)


def _prefill(model: Model, part: _Part) -> None:
    for length in _within(model, PROMPTS):
        for turn in part.turns(0.04, "prefill", length):
            ids = fresh_ids(model, length, turn)
            reply = model.generate(ids, max_tokens=1, temperature=0, ignore_eos=True)
            if reply.usage.cached_tokens == 0:
                part.recorder.samples("prefill", "ms", turn, [reply.timing.prefill], at=length)


def _decode(model: Model, part: _Part) -> None:
    for context in _within(model, CONTEXTS):
        for turn in part.turns(0.06, "time per token", context):
            # The same prompt each turn: the prefix is cached, and only decoding is timed.
            ids = prompt_ids(model, context, 0)
            reply = model.generate(ids, max_tokens=STEPS + 1, temperature=0, ignore_eos=True)
            took, host = reply.timing.per_token[1:], [1000 * ms for ms in reply.timing.host]
            part.recorder.samples("time per token", "ms", turn, took, at=context)
            part.recorder.samples("between two steps", "us", turn, host)


def _streams(model: Model, part: _Part) -> None:
    """Threads that ask at once, as users of one process do without `serve`."""
    for streams in STREAMS:
        for turn in part.turns(0.04, "throughput", streams):
            prompts = [fresh_ids(model, 16, 8 * turn + i) for i in range(streams)]
            work = [threading.Thread(target=_ask, args=(model, ids)) for ids in prompts]
            began = time.perf_counter()
            for thread in work:
                thread.start()
            for thread in work:
                thread.join()
            speed = streams * STEPS / (time.perf_counter() - began)
            part.recorder.samples("throughput", "tokens/s", turn, [speed], at=streams)


def _ask(model: Model, ids: list[int]) -> None:
    model.generate(ids, max_tokens=STEPS, temperature=0, ignore_eos=True)


def _facts(model: Model, part: _Part) -> None:
    """What is read once: sizes, the loss that was measured when the pack was made, energy."""
    note, samples = part.recorder.note, part.recorder.samples
    of = next(iter(part.recorder.recording.header.subjects.values()))
    samples("pack size", "MiB", 0, [of.bytes / 2**20])
    samples("weights read a token", "MiB", 0, [of.weight_bytes / 2**20])
    loss = model.info.evaluation
    if loss is None:
        note("quality: not measured; the pack has no evaluation. `edgeward eval` makes one.")
    else:
        samples("mean KL", "nats", 0, [loss.mean_kl])
        samples("p99 KL", "nats", 0, [loss.p99_kl])
        samples("same first choice", "share", 0, [loss.top1_agreement])
        samples("perplexity", "", 0, [loss.perplexity])
        note(f"quality: from the pack, measured on {loss.positions} positions of {loss.text}.")
    zones = sorted(Path("/sys/class/powercap").glob("intel-rapl:?"))
    meter = None
    with contextlib.suppress(OSError):  # counters are there but only root may read them
        meter = Rapl(zones, 0.0) if zones else None
    if meter is None:
        note("energy: not measured; this machine has no energy counter that may be read.")
        return
    for turn in range(FEWEST):
        before = meter.counter()
        reply = model.generate(
            prompt_ids(model, 16, turn), max_tokens=64, temperature=0, ignore_eos=True
        )
        joules = meter.counter() - before
        samples("energy a token", "J", turn, [joules / reply.usage.completion_tokens])


def _within(model: Model, places: tuple[int, ...]) -> list[int]:
    """Those that fit the model's context with the tokens of a turn."""
    return [place for place in places if place + STEPS + 1 < model.info.context]
