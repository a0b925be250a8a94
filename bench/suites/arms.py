"""Two packs in turns, for a difference that drift cannot make: A B B A or B A A B, drawn by lot.

Knows: packs, requests, the order of turns. Does not know: what the samples say (compare.py).
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import edgeward
from edgeward.errors import OptionError
from edgeward.model import Model

from .. import compare
from ..environment import Watch, Yardstick, describe
from ..progress import Tell
from ..records import FORMAT, Header, Recorder, Recording
from .fresh import fresh_ids
from .model import check_answer
from .subject import subject

ARMS = ("a", "b")
FEWEST = 12
"""Blocks that are measured at least, however sure the answer looks."""


@dataclass(frozen=True)
class Setting:
    """What to run, and how long."""

    prompt: int = 64
    generate: int = 24
    seconds: float = 60.0
    """No block begins later."""
    precision: float = 0.01
    """It ends sooner once every interval reaches no further than this to each side."""
    threads: int | None = None
    graphs: tuple[str | None, str | None] = (None, None)
    seed: int = 0


def run(
    sources: tuple[str | Path, str | Path], setting: Setting, file: Path | None, tell: Tell
) -> Recording:
    """Measure both, writing every turn to `file`; the recording."""
    watch = Watch()
    with contextlib.ExitStack() as stack:
        models = {
            arm: stack.enter_context(edgeward.load(source, threads=setting.threads, graph=graph))
            for arm, source, graph in zip(ARMS, sources, setting.graphs, strict=True)
        }
        for model in models.values():
            check_answer(model)
        if len({model.info.architecture.vocabulary for model in models.values()}) > 1:
            raise OptionError(
                "the two packs have different vocabularies: a token of the one is not a token of "
                "the other, and their times cannot be compared. Measure each with `bench all`."
            )
        header = Header(
            format=FORMAT,
            command="ab",
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            machine=describe(),
            subjects={arm: subject(model) for arm, model in models.items()},
            setting=asdict(setting),
        )
        with Recorder(file, header) as recorder:
            _turns(models, setting, recorder, watch, tell)
        return recorder.recording


def _turns(
    models: dict[str, Model], setting: Setting, recorder: Recorder, watch: Watch, tell: Tell
) -> None:
    yardstick, seen = Yardstick(), []
    lot = np.random.Generator(np.random.Philox(setting.seed))
    for model in models.values():
        _request(model, setting, 0)  # warm-up: pages touched, clocks up
    began, block = time.perf_counter(), 0
    while time.perf_counter() - began < setting.seconds:
        first, second = ARMS if lot.random() < 0.5 else ARMS[::-1]
        for turn, arm in enumerate((first, second, second, first)):
            seen.append(yardstick.ms())
            recorder.samples("yardstick", "ms", block, seen[-1:], arm)
            # Both arms get the same two prompts of a block, and no turn finds its prefix cached.
            for metric, values in _request(models[arm], setting, 2 * block + turn // 2 + 1).items():
                recorder.samples(metric, "ms", block, values, arm)
        block += 1
        tell(f"block {block}", int(time.perf_counter() - began), int(setting.seconds))
        if block >= FEWEST and block % 4 == 0 and _precise(recorder.recording, setting.precision):
            break
    for text in watch.warnings(seen):
        recorder.note(text)


def _precise(recording: Recording, precision: float) -> bool:
    rows = compare.arms(recording)
    reach = max(max(row.high / row.ratio, row.ratio / row.low) for row in rows)
    return reach <= 1 + precision


def _request(model: Model, setting: Setting, start: int) -> dict[str, list[float]]:
    """Milliseconds by metric of one request."""
    reply = model.generate(
        fresh_ids(model, setting.prompt, start),
        max_tokens=setting.generate,
        ignore_eos=True,
        temperature=0,
    )
    whole = reply.usage.cached_tokens == 0
    return {
        "first token": [reply.timing.first_token] if whole else [],
        "prefill": [reply.timing.prefill] if whole else [],
        "time per token": list(reply.timing.per_token[1:]),
    }
