"""One step of the sampler against every other sampler installed, and against one pass.

Knows: made logits, cases, turns, whose tokens are possible. Does not know: how a tool is called
(peers/sampling_worker.py), models. The yardstick is `numpy.argmax`, which reads the logits once.
The machine drifts within minutes, so all tools take turns in short rounds, each in a process of its
own on one core, and what to quote is the ratio of a round's medians. A tool that draws what the
exact distribution gives no chance is shown and is no rival; ours must draw its slow twin's tokens.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import EdgewardError
from edgeward.kernels import reference

from ..peers.lines import LineProcess
from ..stats import Summary, summarize
from . import model_logits

WORKER = Path(__file__).parent.parent / "peers" / "sampling_worker.py"
OURS, YARDSTICK = "edgeward", "argmax"
WITHOUT = "edgeward, no history"
"""Our greedy step again, beside the cases with a history: what that costs is their difference."""
PEERS = ("numpy", "llama.cpp", "transformers", "torch", "onnxruntime-genai", "flashinfer")
VOCABULARIES = (49_152, 128_256, 262_144)
KINDS = ("normal", "flat", "peaked")
WINDOW = 4096
LIMIT_S = 120.0

CASES: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "temperature .8": {"temperature": 0.8},
    "top-k 50 + top-p .95": {"top_k": 50, "top_p": 0.95},
    "top-k 1000": {"top_k": 1000},
    "top-p .9": {"top_p": 0.9},
    "min-p .05": {"min_p": 0.05},
    "typical-p .9": {"typical_p": 0.9},
    f"greedy + penalties, {WINDOW} tokens": {
        "temperature": 0.0,
        "repetition_penalty": 1.1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
    },
}
MORE_CASES: dict[str, dict[str, Any]] = {
    "top-p .9 + min-p .01": {"top_p": 0.9, "min_p": 0.01},
    "top-n-sigma 1": {"top_n_sigma": 1.0},
    "xtc .5 + min-p .05": {"xtc_probability": 0.5, "min_p": 0.05},
    "xtc .5 + top-p .9": {"xtc_probability": 0.5, "top_p": 0.9},
    "typical-p .95 + top-p .9": {"typical_p": 0.95, "top_p": 0.9},
    "mirostat 5": {"mirostat_tau": 5.0},
    f"greedy + dry, {WINDOW} tokens": {"temperature": 0.0, "dry_multiplier": 0.8},
}
"""Settings that no peer here takes: ours and the yardstick only."""

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Setting:
    """How to measure."""

    vocabularies: tuple[int, ...] = VOCABULARIES
    kinds: tuple[str, ...] = ("normal",)
    rounds: int = 9
    budget_s: float = 0.02
    """About how long a tool's turn takes; at least one step, at most 200."""
    peers: tuple[str, ...] = PEERS
    peer_pythons: tuple[str, ...] = ()
    """Where to look for peers, besides this Python."""
    more: bool = False
    model: str | None = None
    """A pulled pack whose model's logits are measured on instead of made ones."""
    logits: tuple[str, ...] = ()
    """Files (.npy) with a row of float32 logits to measure on as well."""


@dataclass
class Figure:
    """One tool in one case."""

    tool: str
    version: str = ""
    missing: str = ""
    step: Summary | None = None
    """Microseconds a step."""
    passes: Summary | None = None
    """Step in passes over the logits, one sample a round."""
    ratio: Summary | None = None
    """The tool's time over ours, one sample a round; above 1: ours is faster."""
    added: Summary | None = None
    """Microseconds that a history adds to our step, one sample a round."""
    impossible: int = 0
    """Drawn tokens that the exact distribution gives no chance."""
    drawn: int = 0


@dataclass
class Case:
    """All tools on the same logits with the same settings."""

    vocabulary: int
    kind: str
    case: str
    tools: list[Figure] = field(default_factory=list)


def made_logits(kind: str, size: int) -> NDArray[np.float32]:
    """`normal`: normal(0, 3); `flat`: normal(0, 0.1); `peaked`: normal(0, 3), ten tokens higher."""
    x = np.random.default_rng(7).normal(0, 0.1 if kind == "flat" else 3, size)
    if kind == "peaked":
        x[np.random.default_rng(9).integers(0, size, 10)] += np.linspace(12, 18, 10)
    return x.astype(np.float32)


def run(setting: Setting, tell: Tell) -> list[Case]:
    """Measure every case on every row of logits.

    Raises `EdgewardError` when our sampler and its twin disagree; nothing is timed then.
    """
    rows = [(kind, made_logits(kind, n)) for n in setting.vocabularies for kind in setting.kinds]
    if setting.model is not None:
        of_model = model_logits.rows(setting.model)
        rows += [(f"{setting.model}, {prompt}", row) for prompt, row in of_model]
    rows += [(Path(file).name, _loaded(file)) for file in setting.logits]
    cases = [(name, settings, setting.peers) for name, settings in CASES.items()]
    if setting.more:
        cases += [(name, settings, ()) for name, settings in MORE_CASES.items()]
    results: list[Case] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers = _Workers(stack, setting.peer_pythons)
        for kind, logits in rows:
            file = Path(folder) / "logits.npy"
            np.save(file, logits)
            for name, settings, peers in cases:
                tell(f"{len(logits)} {kind}: {name}", len(results), len(rows) * len(cases))
                bench = _Bench(name, settings, logits, file, workers)
                results.append(Case(len(logits), kind, name, bench.run(peers, setting)))
    return results


def _loaded(file: str) -> NDArray[np.float32]:
    try:
        row = np.load(file)
    except (OSError, ValueError) as error:
        raise EdgewardError(f"cannot read logits from {file}: {error}.") from error
    if row.ndim != 1 or row.dtype != np.float32 or len(row) < 2:
        raise EdgewardError(
            f"{file} holds {row.dtype} of shape {row.shape}; give one row of float32 logits."
        )
    return np.ascontiguousarray(row)


class _Workers:
    """Processes by tool, each started once, in the first Python that has the tool."""

    def __init__(self, stack: ExitStack, pythons: Sequence[str]) -> None:
        self._stack, self._pythons = stack, [sys.executable, *pythons]
        self._running: dict[str, LineProcess] = {}

    def load(self, tool: str, request: dict[str, Any]) -> tuple[LineProcess, dict[str, Any]]:
        """Give the tool its logits and settings; how it answered."""
        if tool in self._running:
            return self._running[tool], self._running[tool].ask(request, LIMIT_S)
        ours = tool in (OURS, WITHOUT, YARDSTICK)
        name = OURS if tool == WITHOUT else tool
        said: dict[str, Any] = {}
        for python in self._pythons[:1] if ours else self._pythons:
            worker = self._stack.enter_context(LineProcess(tool, python, WORKER, [name]))
            try:
                said = worker.ask(request, LIMIT_S)
            except EdgewardError as error:  # a peer that dies is a peer that is not there
                if ours:
                    raise
                said = {"missing": str(error)}
            if not said.get("missing", "").startswith("not installed"):
                self._running[tool] = worker
                break
        return worker, said


class _Bench:
    """One case."""

    def __init__(
        self,
        name: str,
        settings: dict[str, Any],
        logits: NDArray[np.float32],
        file: Path,
        workers: _Workers,
    ) -> None:
        self.name, self.settings, self.logits, self.workers = name, settings, logits, workers
        size = len(logits)
        tokens = np.random.default_rng(8).integers(0, size, WINDOW).tolist()
        self.window: list[int] = tokens if str(WINDOW) in name else []
        self.request = {"do": "load", "logits": str(file), "settings": settings}

    def run(self, peers: Sequence[str], setting: Setting) -> list[Figure]:
        figures, ready = [], []
        without = [WITHOUT] if self.window else []
        for tool in (OURS, *without, YARDSTICK, *peers):
            request = {**self.request, "window": self.window}
            if tool == WITHOUT:
                request |= {"settings": {"temperature": 0.0}, "window": []}
            worker, said = self.workers.load(tool, request)
            figure = Figure(tool, said.get("version", ""), said.get("missing", ""))
            figures.append(figure)
            if not figure.missing:
                ready.append((figure, worker))
        for figure, worker in ready:
            self._check(figure, worker)
        samples = self._turns(ready, setting)
        for figure, _ in ready:
            own, ours, once = (samples[tool] for tool in (figure.tool, OURS, YARDSTICK))
            medians, our_medians = [statistics.median(r) for r in own], map(statistics.median, ours)
            passes = [a / statistics.median(b) for a, b in zip(medians, once, strict=True)]
            figure.step = summarize([us for r in own for us in r], "us")
            figure.passes = summarize(passes, "passes")
            ratios = [a / b for a, b in zip(medians, our_medians, strict=True)]
            figure.ratio = summarize(ratios, "x")
        if without:
            pairs = zip(samples[OURS], samples[WITHOUT], strict=True)
            added = [statistics.median(a) - statistics.median(b) for a, b in pairs]
            figures[0].added = summarize(added, "us")
        return figures

    def _check(self, figure: Figure, worker: LineProcess) -> None:
        if figure.tool in (YARDSTICK, WITHOUT):
            return
        twin = reference.Sampler(len(self.logits), seed=1, **self.settings)
        for token in self.window:
            twin.observe(token)
        limit = {"do": "draw", "count": 300, "limit_s": 0.5}
        ids = worker.ask({**limit, "count": 2} if figure.tool == OURS else limit, LIMIT_S)["ids"]
        figure.drawn = len(ids)
        if figure.tool == OURS:
            theirs = [twin.sample(self.logits, position) for position in range(len(ids))]
            if ids != theirs:
                raise EdgewardError(
                    f"{self.name}: our sampler drew {ids}, its twin {theirs}; nothing was timed."
                )
            return
        chances = self._loose().probabilities(self.logits)
        figure.impossible = sum(1 for token in ids if chances[token] == 0)

    def _loose(self) -> reference.Sampler:
        """The twin with its cuts a hair wider: others add in another order."""
        looser = dict(self.settings)
        for name in ("top_p", "typical_p"):
            if name in looser:
                looser[name] = min(looser[name] + 1e-3, 1.0)
        if "min_p" in looser:
            looser["min_p"] *= 1 - 1e-4
        twin = reference.Sampler(len(self.logits), **looser)
        for token in self.window:
            twin.observe(token)
        return twin

    def _turns(
        self, ready: list[tuple[Figure, LineProcess]], setting: Setting
    ) -> dict[str, list[list[float]]]:
        """Times of every round, after one that warms up and says how many steps fit a turn."""
        steps = {}
        for figure, worker in ready:
            once = statistics.median(worker.ask({"do": "time", "steps": 3}, LIMIT_S)["us"])
            steps[figure.tool] = int(min(max(setting.budget_s * 1e6 / once, 1), 200))
        samples: dict[str, list[list[float]]] = {figure.tool: [] for figure, _ in ready}
        for turn in range(setting.rounds):
            # A, B, C, then C, B, A: who comes first gains nothing.
            for figure, worker in ready[:: -1 if turn % 2 else 1]:
                count = steps[figure.tool]
                # One step to bring its memory back into the caches.
                said = worker.ask({"do": "time", "steps": count + 1}, LIMIT_S)["us"]
                samples[figure.tool].append(said[1:])
        return samples
