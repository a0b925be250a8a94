"""Cuts a file of rows into blocks that can be read alone, here or on another machine.

Knows: file formats' outsides. Does not know: what rows are for. A block is small, holds no row, and
can be pickled; its boundaries depend on the file and the block size only, so that a run that goes
on after a kill, and a run on another engine, put the same rows together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from edgeward.errors import OptionError

from .row import Row

LONGEST_LINE = 16 * 2**20
"""Bytes that one JSON line may have; a longer one is a row that cannot be read."""

_BOM = b"\xef\xbb\xbf"


class Block(Protocol):
    """Some rows in a file."""

    @property
    def first(self) -> int:
        """Index of the first row."""

    @property
    def count(self) -> int:
        """How many rows there are."""

    def read(self) -> Iterator[Row]:
        """The rows, in order."""


@dataclass(frozen=True)
class JsonlBlock:
    """Lines of a JSONL file from a byte on."""

    path: Path
    first: int
    count: int
    line: int
    offset: int

    def read(self) -> Iterator[Row]:
        """The rows; lines that are blank are none."""
        line, index = self.line, self.first
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while index < self.first + self.count:
                text, whole = _line(file)
                if not text:
                    return
                if not text.isspace():
                    yield _parsed(text, whole, index, line)
                    index += 1
                line += 1


def blocks_of(path: Path, size: int) -> list[Block]:
    """The blocks of a file, `size` rows each (the last may have fewer); reads the file once.

    `.jsonl`, `.ndjson` and `.json` are JSON lines, `.parquet` is Parquet. Raises `OptionError` for
    another ending or a file that cannot be read.
    """
    try:
        if path.suffix in (".jsonl", ".ndjson", ".json"):
            return list(_jsonl(path, size))
        if path.suffix == ".parquet":
            from .parquet import blocks

            return list(blocks(path, size))
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror or error}.") from None
    raise OptionError(
        f"{path} ends in {path.suffix or 'nothing'!r}; rows come as .jsonl (one JSON object a "
        f"line) or .parquet."
    )


def _jsonl(path: Path, size: int) -> Iterator[Block]:
    first = index = 0
    line = begun_line = 1
    offset = begun = 0
    with path.open("rb") as file:
        while True:
            text, _ = _line(file)
            if not text:
                break
            if not text.isspace():
                if index - first == size:
                    yield JsonlBlock(path, first, size, begun_line, begun)
                    first, begun, begun_line = index, offset, line
                index += 1
            offset = file.tell()
            line += 1
    if index > first:
        yield JsonlBlock(path, first, index - first, begun_line, begun)


def _line(file: Any) -> tuple[bytes, bool]:
    """The next line, and whether it is all of it: of one that is too long, the beginning."""
    text = file.readline(LONGEST_LINE + 1)
    if len(text) <= LONGEST_LINE or text.endswith(b"\n"):
        return text, True
    while (more := file.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
        pass
    return text, False


def _parsed(text: bytes, whole: bool, index: int, line: int) -> Row:
    if not whole:
        return Row(index, line, None, f"it has more than {LONGEST_LINE} bytes.")
    try:
        value = msgspec.json.decode(text.removeprefix(_BOM) if line == 1 else text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Row(index, line, None, f"it is no JSON: {error}.")
    if not isinstance(value, dict):
        return Row(index, line, None, f"it is {type(value).__name__}, not a JSON object.")
    return Row(index, line, value)
