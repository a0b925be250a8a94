"""Measures a device profile: runs of several lengths, at the beginning and behind a long prompt.

Knows: engines and clocks. Does not know what the figures are for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from edgeward.cancel import CancelToken
from edgeward.engine import PREFILL_CHUNK, Engine, Lane
from edgeward.kv_cache import KvCache

from .profile import FORMAT, DeviceProfile

SIZES = (2, 8, 16, 32, 64, 128, 256, PREFILL_CHUNK)
DEPTH = 512
"""Positions before the runs that show what looking back takes."""
REPEATS = 3
SECONDS = 3.0
"""After this long nothing is measured twice, and longer runs are left to extrapolation."""


def measure(engine: Engine, context: int, key: str, seconds: float = SECONDS) -> DeviceProfile:
    """Run the model on ids of no meaning and time it; takes about `seconds`, at most twice that.

    `context` positions are the most a request has. Uses a cache of its own for the time being.
    """
    context = max(context, min(64, engine.architecture.context))
    depth = min(DEPTH, context // 2)
    cache = KvCache(engine.cache_shape(min(context, depth + PREFILL_CHUNK)))
    # Written, so that looking back reads memory and not the system's one page of zeros.
    cache.buffers[...] = 0.01
    lane = Lane(engine, cache, CancelToken())
    try:
        return _measure(lane, key, depth, cache.shape.context, seconds)
    finally:
        lane.close()


def _measure(lane: Lane, key: str, depth: int, room: int, seconds: float) -> DeviceProfile:
    vocabulary = lane.engine.architecture.vocabulary
    ids = [3 + i % (vocabulary - 3) if vocabulary > 4 else 0 for i in range(room)]
    ends = time.perf_counter() + seconds

    def run(tokens: int, position: int) -> float:
        lane.prefill(ids[:position], position)  # nothing to compute: only takes the place
        began = time.perf_counter()
        if tokens == 1:
            lane.step(ids[position])
        else:
            lane.prefill(ids[: position + tokens], position)
        return (time.perf_counter() - began) * 1000

    run(2, 0)
    run(1, 2)  # the first run of a kind allocates
    steps = _timed(lambda: run(1, 2), ends, 3 * REPEATS)
    deep_step = _timed(lambda: run(1, depth), ends, REPEATS)
    sizes: list[int] = []
    times: list[float] = []
    for size in SIZES:
        if size > room or (len(sizes) > 2 and time.perf_counter() + 3 * times[-1] / 1000 > ends):
            break
        sizes.append(size)
        times.append(_timed(lambda: run(size, 0), ends, REPEATS))  # noqa: B023 - called at once
    behind = max(s for s in sizes if s <= 64 and s <= room - depth)
    deep = _timed(lambda: run(behind, depth), ends, REPEATS)
    shallow = times[sizes.index(behind)]
    return DeviceProfile(
        format=FORMAT,
        key=key,
        sizes=sizes,
        run_ms=times,
        pair_ms=max(0.0, deep - shallow) / (behind * depth),
        step_ms=steps,
        step_position_ms=max(0.0, deep_step - steps) / max(1, depth - 2),
    )


def _timed(run: Callable[[], float], ends: float, repeats: int) -> float:
    """Median of several runs, of one when time is over. The first of a length is not counted."""
    times = [run()]
    while len(times) < repeats + 1 and time.perf_counter() < ends:
        times.append(run())
    return median(times[1:] or times)
