"""One tokenizer.json in our tokenizer and in every peer installed, in turns.

Knows: texts, rounds, what is timed, whose ids are right. Does not know: how a tool is called
(peers/tokenizer_worker.py). Each tool of each round is a fresh process on one core, so that "first"
means the first time it sees a text, whatever it remembers afterwards. Ids and offsets are compared
with Hugging Face's before a tool's speed counts for anything.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeward.errors import EdgewardError

from ..peers.lines import LineProcess
from ..stats import MORE_IS_BETTER, Summary, summarize
from .text import CHAT_MESSAGES, PROSE

WORKER = Path(__file__).parent.parent / "peers" / "tokenizer_worker.py"
OURS = ("edgeward", "edgeward-array")
REFERENCE = "hf"
PEERS = (
    "hf", "tiktoken", "gigatoken", "fastokens", "splintr", "tuetoken", "tokie", "kitoken", "iree"
)  # fmt: skip
ARRAYS = ("edgeward-array", "gigatoken")
"""Tools whose ids come as an array; the others' come as a list."""

LIMIT_S = 120.0
MAX_TEXT = 1_000_000  # characters of a text that are used
WORST = {"= x 1 MB": "=", "a x 1 MB": "a", "space x 1 MB": " "}


@dataclass(frozen=True)
class Setting:
    """How to measure."""

    rounds: int = 3
    passes: int = 4
    """Times each text is encoded in a round; the first counts apart."""
    peer_python: str | None = None
    tools: tuple[str, ...] = (*OURS, *PEERS)
    worst: bool = True


@dataclass
class ToolResult:
    """What one tool did."""

    tool: str
    version: str = ""
    missing: str = ""
    """Why there is nothing, if so."""
    figures: dict[str, Summary] = field(default_factory=dict)
    rounds: dict[str, list[int]] = field(default_factory=dict)
    """The round of each sample of a figure: not every round gives all of them."""
    wrong: list[str] = field(default_factory=list)
    """Texts whose ids or offsets are not Hugging Face's."""
    checked: bool = False
    """True if Hugging Face's were there to compare with."""
    ended: str = ""
    """Why it gave no more figures in some round, if so."""

    @property
    def array(self) -> bool:
        """True if ids come as an array, not as a list."""
        return self.tool in ARRAYS

    def by_round(self, name: str) -> dict[int, float]:
        """The samples of a figure by the number of their round."""
        return dict(zip(self.rounds[name], self.figures[name].samples, strict=True))


@dataclass
class Ratio:
    """Ours against the best peer that gives the right ids and the same kind of result."""

    figure: str
    peer: str
    ratio: Summary
    """Above 1: ours is better. One sample a round."""


@dataclass
class Result:
    """All tools, and how ours compares."""

    tools: list[ToolResult]
    ratios: list[Ratio]


def builtin_texts() -> dict[str, str]:
    """English and code that every Python brings along; other texts are the user's to give."""
    # The interpreter's own help texts: 0.7 MB in reStructuredText.
    from pydoc_data.topics import topics

    library = Path(os.__file__).parent
    english = PROSE + "\n".join(topics.values())
    code = ""
    for file in sorted(library.glob("*.py")):
        code += file.read_text("utf-8", "replace")
        if len(code) > MAX_TEXT:
            break
    return {"english": english[:MAX_TEXT], "code": code[:MAX_TEXT]}


def run(
    path: Path,
    texts: Mapping[str, str],
    setting: Setting,
    progress: Callable[[str, int, int], None],
) -> Result:
    """Measure every tool on `path`, a tokenizer.json, over `texts` (name -> text)."""
    with tempfile.TemporaryDirectory(prefix="edgeward-bench-") as folder:
        files = _write_texts(Path(folder), texts, setting.worst)
        rounds: dict[str, list[dict[str, Any]]] = {tool: [] for tool in setting.tools}
        steps = setting.rounds * len(setting.tools)
        for number in range(setting.rounds):
            # Another order each round, so that no tool always follows the same one.
            order = setting.tools[number:] + setting.tools[:number]
            for at, tool in enumerate(order):
                progress(f"round {number + 1}: {tool}", number * len(order) + at, steps)
                if not rounds[tool] or "missing" not in rounds[tool][-1]["load"]:
                    rounds[tool].append(_measure(tool, path, files, setting))
        results = [_tool_result(tool, rounds[tool], rounds) for tool in setting.tools]
        return Result(results, _ratios(results))


def _write_texts(folder: Path, texts: Mapping[str, str], worst: bool) -> dict[str, Path]:
    """Every input as a file: "text:NAME", "worst:NAME", "warm", "messages"."""
    inputs = {f"text:{name}": text[:MAX_TEXT] for name, text in texts.items()}
    inputs["warm"] = PROSE[len(PROSE) // 2 :] * 60
    inputs["messages"] = json.dumps(CHAT_MESSAGES)
    if worst:
        inputs |= {f"worst:{name}": unit * MAX_TEXT for name, unit in WORST.items()}
    files = {}
    for number, (name, text) in enumerate(inputs.items()):
        files[name] = folder / f"{number}.txt"
        files[name].write_bytes(text.encode("utf-8", "replace"))
    return files


def _measure(tool: str, path: Path, files: dict[str, Path], setting: Setting) -> dict[str, Any]:
    """One tool in one process; an answer {"missing": reason} where it gave none."""
    python = sys.executable if tool in OURS else setting.peer_python or sys.executable
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    found: dict[str, Any] = {}
    with LineProcess(tool, python, WORKER, [tool, str(path)], environment) as worker:

        def ask(key: str, do: str, file: str, passes: int) -> None:
            found[key] = worker.ask({"do": do, "file": str(files[file]), "passes": passes}, LIMIT_S)

        try:
            found["load"] = worker.ask({"do": "load"}, LIMIT_S)
            if "missing" in found["load"]:
                return found
            ask("warm", "encode", "warm", 1)
            ask("messages", "messages", "messages", 9)
            first = next(name for name in files if name.startswith("text:"))
            for name in (name for name in files if name.startswith("text:")):
                ask(name, "encode", name, setting.passes)
            for do in ("decode", "stream", "offsets"):
                ask(do, do, first, 3)
            for name in (name for name in files if name.startswith("worst:")):
                ask(name, "encode", name, 1)
        except EdgewardError as error:
            found.setdefault("load", {"missing": str(error)})
            found["ended"] = {"missing": str(error)}
    return found


def _figures(found: Mapping[str, Any]) -> dict[str, tuple[float, str]]:
    """The figures of one round: name -> (value, unit)."""
    figures: dict[str, tuple[float, str]] = {}
    for key, answer in found.items():
        kind, _, name = key.partition(":")
        if "missing" in answer or kind == "warm":
            continue
        times = answer["cpu_s"]
        if kind == "load":
            figures["load"] = (times * 1e3, "ms")
            figures["private memory"] = (answer["private_bytes"] / 2**20, "MiB")
        elif kind == "messages":
            # Of a typical message: medians do not feel one message that was interrupted.
            figures["chat message"] = (sorted(times)[len(times) // 2] * 1e6, "us")
        elif kind == "text":
            figures[f"{name}, first"] = (answer["bytes"] / times[0] / 1e6, "MB/s")
            if len(times) > 1:
                figures[f"{name}, again"] = (answer["bytes"] / min(times[1:]) / 1e6, "MB/s")
        elif kind in ("decode", "offsets"):
            figures[kind] = (answer["bytes"] / min(times) / 1e6, "MB/s")
        elif kind == "stream":
            figures["stream, a token"] = (min(times) / answer["tokens"] * 1e6, "us")
        else:
            figures[name] = (times[0] * 1e3, "ms")
    return figures


def _tool_result(
    tool: str, found: list[dict[str, Any]], every: Mapping[str, list[dict[str, Any]]]
) -> ToolResult:
    if "missing" in found[0]["load"]:
        return ToolResult(tool, missing=found[0]["load"]["missing"])
    samples: dict[str, list[float]] = {}
    numbers: dict[str, list[int]] = {}
    units = {}
    for number, once in enumerate(found):
        for name, (value, unit) in _figures(once).items():
            samples.setdefault(name, []).append(value)
            numbers.setdefault(name, []).append(number)
            units[name] = unit
    right = every[REFERENCE][0] if every.get(REFERENCE) else {}
    wrong = [
        key.partition(":")[2] or key
        for key, answer in found[0].items()
        if "ids" in answer and "ids" in right.get(key, {}) and answer["ids"] != right[key]["ids"]
    ]
    return ToolResult(
        tool,
        version=found[0]["load"]["version"],
        figures={name: summarize(values, units[name]) for name, values in samples.items()},
        rounds=numbers,
        wrong=wrong,
        checked=any("ids" in answer for answer in right.values()),
        ended=next((once["ended"]["missing"] for once in found if "ended" in once), ""),
    )


def _ratios(results: list[ToolResult]) -> list[Ratio]:
    ratios = []
    for ours in (r for r in results if r.tool in OURS):
        for name, mine in ours.figures.items():
            encoding = mine.unit == "MB/s" and name not in ("decode", "offsets")
            if ours.array and not encoding:
                continue  # measured with lists already
            rivals = [
                r
                for r in results
                # What a list costs is no merit of an array's: like is compared with like.
                if name in r.figures and _counts(r) and (r.array == ours.array or not encoding)
            ]
            if not rivals:
                continue
            more_is_better = mine.unit in MORE_IS_BETTER
            best = (max if more_is_better else min)(rivals, key=lambda r: r.figures[name].median)
            a, b = ours.by_round(name), best.by_round(name)
            samples = [
                a[number] / b[number] if more_is_better else b[number] / a[number]
                for number in sorted(a.keys() & b.keys())
            ]
            if not samples:
                continue  # never measured in the same round
            label = f"{name} (array)" if ours.array else name
            ratios.append(Ratio(label, best.tool, summarize(samples, "x")))
    return ratios


def _counts(result: ToolResult) -> bool:
    return result.tool not in OURS and result.checked and not result.wrong
