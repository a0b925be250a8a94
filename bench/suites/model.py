"""The whole model as a user meets it: load, first token, prefill, decode, memory.

Each figure is taken through the public API. Before anything is timed the answer is checked: the
same greedy request twice must give the same tokens.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import edgeward
from edgeward.errors import EdgewardError

from ..stats import Summary, summarize
from .text import CHAT_MESSAGES, PROSE

if TYPE_CHECKING:
    from edgeward.model import Model

# Run in a process of its own: import and load are paid once a process.
_LOAD_PROGRAM = """
import json, resource, sys, time
began = time.perf_counter()
import edgeward
imported = time.perf_counter()
import onnxruntime
ready = time.perf_counter()
model = edgeward.load(sys.argv[1], threads=int(sys.argv[2]), graph=sys.argv[3] or None)
loaded = time.perf_counter()
model.generate("The", max_tokens=1)
answered = time.perf_counter()
from edgeward.machine import resident_memory
private, mapped = resident_memory() or (0, 0)
print(json.dumps({
    "import edgeward": (imported - began) * 1e3, "import onnxruntime": (ready - imported) * 1e3,
    "load": (loaded - ready) * 1e3, "load to first token": (answered - ready) * 1e3,
    "private memory": private / 2**20, "mapped memory": mapped / 2**20,
    "peak memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


@dataclass(frozen=True)
class Setting:
    """What to run: token counts, repetitions, threads, the graph (None: the best)."""

    prompt: int = 128
    generate: int = 128
    repeats: int = 5
    threads: int | None = None
    graph: str | None = None


@dataclass
class Result:
    """Figures by name, and under what they were taken."""

    model: str
    setting: Setting
    threads: int
    figures: dict[str, Summary] = field(default_factory=dict)


Report = Callable[[str, int, int], None]


def run(name: str, setting: Setting, progress: Report) -> Result:
    """Measure the pack `name`. `progress(phase, done, total)` is called as it goes."""
    with edgeward.load(name, threads=setting.threads, graph=setting.graph) as model:
        check_answer(model)
        result = Result(model.info.name, setting, model.info.threads)
        _speed(model, setting, result, progress)
        _first_token(model, setting, result, progress)
    _load(name, setting, result, progress)
    return result


def check_answer(model: Model) -> None:
    """The same greedy request twice, and in chunks or not, gives the same tokens."""
    ids = prompt_ids(model, 48, 0)
    first, second = (model.generate(ids, max_tokens=16, temperature=0).token_ids for _ in "ab")
    if not first or first != second:
        raise EdgewardError(f"the same request gave {first} and then {second}; nothing was timed.")


def prompt_ids(model: Model, count: int, start: int) -> list[int]:
    """`count` tokens of prose, from another place for another `start`: no prefix is reused."""
    ids = model.tokenizer.encode(PROSE)
    begin = (start * 61) % len(ids)
    rolled = ids[begin:] + ids[:begin]
    return (rolled * (count // len(ids) + 1))[:count]


def _speed(model: Model, setting: Setting, result: Result, progress: Report) -> None:
    prefill, decode, first = [], [], []
    for i in range(setting.repeats + 1):
        progress("prefill and decode", i, setting.repeats + 1)
        reply = model.generate(
            prompt_ids(model, setting.prompt, i),
            max_tokens=setting.generate,
            ignore_eos=True,
            temperature=0,
        )
        if i == 0:
            continue  # warm-up: pages touched, clocks up
        computed = reply.usage.prompt_tokens - reply.usage.cached_tokens
        prefill.append(computed / reply.timing.prefill * 1000)
        first.append(reply.timing.first_token)
        speed = reply.timing.decode_tokens_per_second
        if speed is not None:
            decode.append(speed)
    result.figures["prefill"] = summarize(prefill, "tokens/s")
    if decode:
        result.figures["decode"] = summarize(decode, "tokens/s")
    result.figures[f"first token, {setting.prompt} tokens"] = summarize(first, "ms")


def _first_token(model: Model, setting: Setting, result: Result, progress: Report) -> None:
    samples = []
    total = setting.repeats * len(CHAT_MESSAGES)
    for i in range(total):
        progress("first token of chats", i, total)
        # The number keeps a message from finding its own prefix in the cache.
        message = f"{i}. {CHAT_MESSAGES[i % len(CHAT_MESSAGES)]}"
        samples.append(model.chat(message, max_tokens=4).timing.first_token)
    result.figures["first token, chat messages"] = summarize(samples, "ms")


def _load(name: str, setting: Setting, result: Result, progress: Report) -> None:
    runs: dict[str, list[float]] = {}
    for i in range(setting.repeats):
        progress("load in a new process", i, setting.repeats)
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                _LOAD_PROGRAM,
                name,
                str(result.threads),
                setting.graph or "",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise EdgewardError(f"loading {name} in a new process failed: {done.stderr[-500:]}")
        for key, value in json.loads(done.stdout).items():
            runs.setdefault(key, []).append(value)
    for key, values in runs.items():
        result.figures[key] = summarize(values, "MiB" if "memory" in key else "ms")
