"""`edgeward bench soak`: a server under thousands of requests, many of them bad or cut off."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..progress import progress_bar
from ..suites import serve_soak as suite


def soak(
    model: Annotated[str, typer.Argument(help="Name of a pack, or its folder.")] = "smollm2-135m",
    requests: Annotated[int, typer.Option(help="Requests in all.", min=8)] = 10_000,
    clients: Annotated[int, typer.Option(help="Clients at once.", min=1, max=200)] = 10,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer, at most.", min=1)] = 24,
    seed: Annotated[int, typer.Option(help="Of the order of requests.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Serve a model and send it requests: answered, cancelled, malformed, cut off.

    Exit code 1 when an end was not the one foretold, something was left running, the log tells of
    an error inside, or the server's memory grew by more than 2 %.

    Examples:

    `edgeward bench soak smollm2-135m --requests 1000`
    """
    setting = suite.Setting(requests, clients, tokens, seed)
    with progress_bar(as_json) as tell:
        result = suite.run(model, setting, tell)
    said = {
        "requests": requests,
        "seconds": round(result.seconds, 1),
        "ends": dict(sorted(result.ends.items())),
        "lost": result.lost,
        "left_running": result.left_running,
        "log_errors": result.log_errors[:20],
        "memory_mib": [round(size / 2**20, 2) for size in result.memory],
        "growth_percent": round(result.growth, 2),
        "passed": result.passed,
        "service": {k: result.stats[k] for k in ("requests", "ended", "failed", "cache_bytes")},
    }
    print(json.dumps(said) if as_json else json.dumps(said, indent=1))
    if not result.passed:
        raise typer.Exit(1)
