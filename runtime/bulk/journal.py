"""Results on the disk as they are made, so that a killed run goes on where it was.

While a run lasts, `OUT.partial` holds its finished rows in order, one JSON object a line, and
`OUT.partial.json` what was asked. A kill can cut the last line at most, which is dropped and made
again: results depend on their row alone. At the end the rows are put in place under their name at
once. Two runs on one output are told apart by a lock on the partial file.

Knows: files. Does not know: what rows mean.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from edgeward.errors import KeepError, OptionError
from edgeward.file_lock import try_lock

SYNC_SECONDS = 1.0
"""A power failure costs the rows of this many seconds, which are made again; a kill none."""


class Journal:
    """The finished rows of one output. Use it as a context; a second one on the same output raises.

    `asked` is what the results depend on. Raises `OptionError` if the output exists, if another
    run is writing it, or if what a killed run left was asked otherwise; `KeepError` if the files
    cannot be written.
    """

    def __init__(self, target: Path, asked: Mapping[str, Any], *, fresh: bool = False) -> None:
        self.target = target
        self.partial = target.with_name(target.name + ".partial")
        self.done = 0
        """Rows that are finished, those of an earlier run included."""
        self.failed = 0
        """Of those of an earlier run, rows with an `error`."""
        self._asked = dict(asked)
        self._head = target.with_name(target.name + ".partial.json")
        self._synced = time.monotonic()
        with _told(self.partial):
            self._file = self.partial.open("ab+")
        try:
            self._claim(fresh)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Write finished rows; when this returns, a kill of this process cannot lose them."""
        with _told(self.partial):
            self._file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
            self._file.flush()
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        self.done += len(rows)

    def finish(self, convert: Callable[[Path, Path], None] | None = None) -> None:
        """Put the rows in place: as they are, or as `convert(partial, made)` writes them."""
        with _told(self.target):
            os.fsync(self._file.fileno())
            if convert is None:
                os.replace(self.partial, self.target)
            else:
                made = self.target.with_name(self.target.name + ".making")
                convert(self.partial, made)
                os.replace(made, self.target)
                self.partial.unlink()
            self._head.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Let go of the files; what is finished stays for the next run."""
        if not self._file.closed and not self.done:
            self.partial.unlink(missing_ok=True)
            self._head.unlink(missing_ok=True)
        self._file.close()

    def _claim(self, fresh: bool) -> None:
        if not try_lock(self._file.fileno()) or not _same(self._file.fileno(), self.partial):
            raise OptionError(
                f"another run is writing {self.target}; wait for its end, or give another output."
            )
        if self.target.exists() and not fresh:
            if not self._file.tell():
                self.partial.unlink()
            raise OptionError(
                f"{self.target} exists; give another output, or begin anew with fresh (--fresh), "
                f"which replaces it at the end."
            )
        if fresh:
            self._file.truncate(0)
        if not fresh and self._file.tell():
            self._compare()
            self.done = self._whole_lines()
            return
        with _told(self._head):
            written = self._head.with_name(self._head.name + ".new")
            written.write_text(json.dumps(self._asked, indent=1) + "\n", encoding="utf-8")
            os.replace(written, self._head)

    def _compare(self) -> None:
        """What a killed run left must be of this very question."""
        try:
            before = json.loads(self._head.read_bytes())
        except (OSError, ValueError, RecursionError):
            before = {}
        now = json.loads(json.dumps(self._asked))
        differ = sorted(k for k in {*before, *now} if before.get(k) != now.get(k))
        if differ:
            raise OptionError(
                f"{self.partial} was begun with other {' and '.join(differ)}; ask as before to go "
                f"on, or begin anew with fresh (--fresh)."
            )

    def _whole_lines(self) -> int:
        """Count the finished rows and cut off what a kill left of the next one."""
        self._file.seek(0)
        count = end = 0
        for line in self._file:
            row = _row(line)
            if row.get("index") != count:
                break
            count += 1
            self.failed += "error" in row
            end += len(line)
        self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)
        return count


def rows_of(partial: Path) -> Iterator[dict[str, Any]]:
    """The rows of a journal's file."""
    with partial.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line)


def _row(line: bytes) -> dict[str, Any]:
    """A row of the file; empty for what a kill left of one."""
    try:
        row = msgspec.json.decode(line) if line.endswith(b"\n") else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeepError(
            f"cannot write {path}: {error.strerror or error}. What is finished is kept; the same "
            f"command goes on from there."
        ) from error


def _same(handle: int, path: Path) -> bool:
    """Whether a name still means this file: another run may have put it in place meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
