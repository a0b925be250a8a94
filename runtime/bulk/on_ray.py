"""The engine "ray": blocks over a Ray cluster by Ray Data, one actor a place (extra `ray`).

Knows: Ray. Does not know: how a block is worked on (`worker.py`), where results go.

Actors read their rows themselves, so the input must be readable under the same path on every node.
A pack travels through Ray's object store and is placed once a node. An actor that dies is started
anew and its blocks are made again: results depend on their rows alone, so nobody sees it.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from edgeward.errors import EdgewardError, OptionError

from .blocks import Block
from .placed import PackedModel
from .pump import ordered
from .work import Work


class BatchMapper:
    """A class for `ray.data.Dataset.map_batches`, for those who have a pipeline already.

    Takes the arguments of `Work`: the task, its model, settings. Adds a column for each part of a
    result (`text`, `finish_reason`, `vector` ...); `usage`, `receipt`, `safety` and `error` are
    JSON texts. Bad rows have an `error`, and None elsewhere. A row's seed is `seed` plus its
    `index` where the batch has such a column, and its place in the batch otherwise.

    >>> ds.map_batches(BatchMapper, fn_constructor_kwargs={"task": "embed",
    ...     "model": "all-minilm-l6-v2"}, concurrency=2, batch_size=64)  # doctest: +SKIP
    """

    def __init__(self, task: str, model: Any = None, **settings: Any) -> None:
        if isinstance(model, PackedModel):
            model = str(model.place())
        self._worker = Work(task, model=model, keep=(), **settings).open()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        from .columns import columns_of, rows_of_columns

        results = self._worker.run(rows_of_columns(batch))
        return {**batch, **columns_of(results)}


class _Blocks:
    """The actor of `run`: blocks in, results out, as JSON."""

    def __init__(self, work: Work, model: PackedModel | None, concurrency: int | None) -> None:
        if model is not None:
            work = dataclasses.replace(work, model=str(model.place()))
        self._worker = work.open(concurrency)
        self._threads = concurrency or self._worker.concurrency

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        def one(pickled: bytes) -> bytes:
            block: Block = pickle.loads(pickled)  # made by `run`
            return msgspec.json.encode(self._worker.run(list(block.read())))

        made = list(ordered(one, batch["block"], self._threads, self._worker.stop))
        return {"results": np.array(made, dtype=object)}


def run(work: Work, blocks: Iterator[Block], concurrency: int | None) -> Iterator[list[Any]]:
    """Results of the blocks, in order, from the cluster that Ray finds (or a local one)."""
    ray = _ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level="ERROR")
    listed = list(blocks)
    if not listed:
        return
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    model = None if work.model is None else PackedModel.of(work.model)
    places, cpus = _places(ray)
    # One call has a few blocks for each thread of an actor: enough to keep them busy to its end,
    # few enough to spread, and to make again when an actor dies.
    size = max(1, min(4 * (concurrency or 16), -(-len(listed) // (4 * places))))
    items = [{"block": pickle.dumps(block)} for block in listed]
    made = ray.data.from_items(items, override_num_blocks=-(-len(items) // size)).map_batches(
        _Blocks,
        fn_constructor_args=(work, model, concurrency),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=places),
        num_cpus=cpus,
        batch_size=size,
    )
    try:
        for batch in made.iter_batches(batch_size=None, prefetch_batches=1):
            for results in batch["results"]:
                yield msgspec.json.decode(results)
    except ray.exceptions.RayError as error:
        raise _ours(error) from None


def _places(ray: Any) -> tuple[int, float]:
    """Actors to start, and the processors of each: one a node that has any."""
    nodes = [n["Resources"].get("CPU", 0) for n in ray.nodes() if n["Alive"]]
    counts = [int(count) for count in nodes if count >= 1]
    if not counts:
        raise OptionError("the Ray cluster has no processor to give; start it with some.")
    return len(counts), min(counts)


def _ours(error: Exception) -> EdgewardError:
    """The error of ours inside one of Ray's, as it would have been raised here."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, EdgewardError):
            return type(seen)(str(seen).strip())
        seen = getattr(seen, "cause", None) or seen.__cause__
    return EdgewardError(f"the Ray run failed: {error}. What is finished is kept.")


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise OptionError(f"engine='ray' needs Ray: pip install edgeward[ray] ({error}).") from None
    return ray
