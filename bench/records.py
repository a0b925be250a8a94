"""Recordings: raw samples as JSON lines, written as they are taken, read back also when cut.

Knows: the words of a line. Does not know: how a sample is taken or what it says. A recording that
was interrupted has no last line of kind "end"; what it holds is read and called incomplete. Format
1: fields are only added within a format. docs/bench.md explains them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from edgeward.errors import EdgewardError

FORMAT = 1


class Line(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """What all lines share: their kind."""


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was measured: a pack and how it ran."""

    name: str
    sha256: str
    graph: str = ""
    threads: int = 0
    bytes: int = 0
    """Of all its files."""
    weight_bytes: int = 0
    """Read for each token."""
    parameters: int = 0


class Header(Line, frozen=True, tag="header", kw_only=True):
    """The first line: what was measured where. `subjects` are by arm ("" where there is one)."""

    format: int
    command: str
    started: str
    machine: dict[str, Any]
    subjects: dict[str, Subject]
    setting: dict[str, Any] = {}


class Samples(Line, frozen=True, tag="samples"):
    """What one turn gave of one figure; `at` is its place on a curve (tokens, streams)."""

    metric: str
    unit: str
    turn: int
    values: list[float]
    arm: str = ""
    at: int | None = None


class Note(Line, frozen=True, tag="note"):
    """Something a reader must know: noise, what was not measured and why."""

    text: str


class End(Line, frozen=True, tag="end"):
    """The last line of a recording that came to its end."""

    seconds: float


AnyLine = Header | Samples | Note | End
Key = tuple[str, int | None]
"""A metric and the place on its curve."""


class Recorder:
    """Writes a recording; every line is on disk when its call returns. A context manager.

    Args:
        path: the file, which is replaced; None: lines are kept in memory only.
    """

    def __init__(self, path: Path | None, header: Header) -> None:
        self._file = None
        if path is not None:
            try:
                self._file = path.open("wb", buffering=0)
            except OSError as error:
                raise EdgewardError(f"cannot write {path}: {error.strerror}.") from error
        self._began = time.perf_counter()
        self.recording = Recording(header)
        self._write(header)

    def samples(
        self,
        metric: str,
        unit: str,
        turn: int,
        values: Sequence[float],
        arm: str = "",
        at: int | None = None,
    ) -> None:
        """Note what a turn gave; nothing where it gave nothing."""
        if len(values):
            self._take(Samples(metric, unit, turn, [float(v) for v in values], arm, at))

    def note(self, text: str) -> None:
        """Note what a reader must know."""
        self._take(Note(text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None:
            self._take(End(round(time.perf_counter() - self._began, 3)))
        if self._file is not None:
            self._file.close()

    def _take(self, line: AnyLine) -> None:
        self.recording.add(line)
        self._write(line)

    def _write(self, line: AnyLine) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")


class Recording:
    """All lines of a file."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.notes: list[str] = []
        self.seconds: float | None = None
        """How long it took; None: it was interrupted."""
        self.units: dict[str, str] = {}
        self._turns: dict[str, dict[Key, dict[int, list[float]]]] = {}

    @property
    def complete(self) -> bool:
        """Whether it came to its end."""
        return self.seconds is not None

    @property
    def arms(self) -> list[str]:
        """The names of what was measured in turns; [""] where it is one."""
        return list(self.header.subjects)

    def add(self, line: AnyLine) -> None:
        """Take one more line."""
        if isinstance(line, Samples):
            self.units[line.metric] = line.unit
            of_arm = self._turns.setdefault(line.arm, {})
            of_key = of_arm.setdefault((line.metric, line.at), {})
            of_key.setdefault(line.turn, []).extend(line.values)
        elif isinstance(line, Note):
            self.notes.append(line.text)
        elif isinstance(line, End):
            self.seconds = line.seconds

    def keys(self, arm: str = "") -> list[Key]:
        """Metrics, in the order in which they were first taken."""
        return list(self._turns.get(arm, {}))

    def turns(self, metric: str, at: int | None = None, arm: str = "") -> Mapping[int, list[float]]:
        """Samples by turn; empty where there are none."""
        return self._turns.get(arm, {}).get((metric, at), {})

    def curve(self, metric: str, arm: str = "") -> dict[int, Mapping[int, list[float]]]:
        """Samples by place and turn, places in order."""
        places = sorted(at for name, at in self.keys(arm) if name == metric and at is not None)
        return {at: self.turns(metric, at, arm) for at in places}


def read(path: Path) -> Recording:
    """A recording from its file.

    Raises `EdgewardError` when it cannot be read, is none, or a line before the last is damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EdgewardError(f"cannot read {path}: {error.strerror}.") from error
    decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
    recording: Recording | None = None
    lines = raw.split(b"\n")
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
        except msgspec.DecodeError as error:
            if number == len(lines) and recording is not None:
                break  # cut in the middle of a line: it was interrupted
            raise EdgewardError(
                f"{path}, line {number} is not of a recording: {error}. Recordings are made by "
                "`edgeward bench all` and `edgeward bench ab`."
            ) from error
        if isinstance(line, Header):
            if recording is not None or line.format != FORMAT:
                raise EdgewardError(
                    f"{path}, line {number}: a header of format {line.format}; a recording has "
                    f"one, of format {FORMAT}."
                )
            recording = Recording(line)
        elif recording is None:
            raise EdgewardError(f"{path} does not begin with a header.")
        else:
            recording.add(line)
    if recording is None:
        raise EdgewardError(f"{path} is empty.")
    return recording
