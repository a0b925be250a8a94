"""Measures a device profile: runs of several lengths, at the beginning and behind a long prompt.

Knows: engines and clocks. Does not know what the figures are for.
"""

from __future__ import annotations

import time
from statistics import median

from edgeward.batched_steps import BatchedSteps
from edgeward.cancel import CancelToken
from edgeward.engine import PREFILL_CHUNK, Engine, Lane, Run
from edgeward.kv_arena import Arena
from edgeward.kv_cache import KvCache

from .profile import FORMAT, DeviceProfile

SIZES = (2, 16, 64, 256, PREFILL_CHUNK)
ALWAYS = 64
"""Runs up to this length are measured once even on a device that is slow or busy."""
ROWS = (2, 4, 8)
"""Steps of so many requests are timed together, where the graph can join them."""
_SHORT = 64
DEPTH = 512
"""Positions before the runs that show what looking back takes."""
ROUNDS = 4
"""The first is not counted where there were others: it allocates."""
SECONDS = 3.0
"""After this long nothing more is begun; lengths that were not reached are extrapolated."""


def measure(engine: Engine, context: int, key: str, seconds: float = SECONDS) -> DeviceProfile:
    """Run the model on ids of no meaning and time it; takes about `seconds`, at most twice that.

    `context` positions are the most a request has. Uses a cache of its own for the time being.
    """
    context = max(context, min(64, engine.architecture.context))
    depth = min(DEPTH, context // 2)
    cache = KvCache(engine.cache_shape(min(context, depth + PREFILL_CHUNK)))
    # Written, so that looking back reads memory and not the system's one page of zeros.
    cache.buffers[...] = 0.01
    lane, group = Lane(engine, cache, CancelToken()), _Group(engine)
    try:
        return _measure(lane, group, key, depth, cache.shape.context, seconds)
    finally:
        lane.close()
        group.close()


class _Group:
    """Lanes that are stepped together; none on a graph that cannot."""

    def __init__(self, engine: Engine) -> None:
        self.sizes: tuple[int, ...] = ROWS if engine.fused else ()
        self.lanes: list[Lane] = []
        if self.sizes:
            shape = engine.cache_shape(_SHORT)
            arena = Arena(shape, max(ROWS))
            self._batch = BatchedSteps(engine, arena)
            caches = [KvCache(shape, arena) for _ in range(max(ROWS))]
            self.lanes = [Lane(engine, cache, CancelToken()) for cache in caches]

    def step(self, rows: int) -> float:
        """Milliseconds of a run of one step each of `rows` lanes."""
        runs = [Run(lane, [0]) for lane in self.lanes[:rows]]
        began = time.perf_counter()
        self._batch.compute(runs)
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()


def _measure(
    lane: Lane, group: _Group, key: str, depth: int, room: int, seconds: float
) -> DeviceProfile:
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
    run(1, 2)
    together: dict[int, list[float]] = {rows: [] for rows in group.sizes}
    sizes = [size for size in SIZES if size <= room]
    behind = max(size for size in sizes if size <= min(ALWAYS, room - depth))
    # In rounds, so that a load that comes or goes touches all lengths alike.
    plan = [(1, 2), (1, depth), (behind, depth), *((size, 0) for size in sizes)]
    times: dict[tuple[int, int], list[float]] = {}
    for number in range(ROUNDS):
        for tokens, position in plan:
            needed = number == 0 and tokens <= ALWAYS
            if needed or time.perf_counter() + _expected(times, tokens) / 1000 < ends:
                times.setdefault((tokens, position), []).append(run(tokens, position))
        for rows, found in together.items():
            if number == 0 or time.perf_counter() < ends:
                found.append(group.step(rows))
    middle = {place: median(found[1:] or found) for place, found in times.items()}
    measured = [size for size in sizes if (size, 0) in middle]
    step = middle[1, 2]
    return DeviceProfile(
        format=FORMAT,
        key=key,
        sizes=measured,
        run_ms=[middle[size, 0] for size in measured],
        pair_ms=max(0.0, middle[behind, depth] - middle[behind, 0]) / (behind * depth),
        step_ms=step,
        step_position_ms=max(0.0, middle[1, depth] - step) / max(1, depth - 2),
        rows=list(together),
        rows_ms=[median(found[1:] or found) for found in together.values()],
    )


def _expected(times: dict[tuple[int, int], list[float]], tokens: int) -> float:
    """Milliseconds that a run will take, from the longest one known that is no longer."""
    known = [place for place in times if place[0] <= tokens]
    if not known:
        return 0.0
    longest = max(known)
    return times[longest][-1] * tokens / longest[0]
