"""The two faces of a running answer: an iterator for threads, an asynchronous one for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

from .cancel import CancelToken
from .errors import EdgewardError
from .reply import Chunk, Reply


class Stream:
    """A running answer: iterate over its `Chunk`s, then read `reply`.

    The work is done while you iterate, in the thread that iterates. `cancel()` may be called from
    any thread and ends the iteration at the next graph node or token; the reply then says
    "cancelled". Iterate to the end, or use it as a context manager, so that its buffers return.
    """

    def __init__(self, run: Generator[Chunk, None, Reply], cancel: CancelToken) -> None:
        self._run = run
        self._cancel = cancel
        self._reply: Reply | None = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Chunk:
        try:
            return next(self._run)
        except StopIteration as end:
            if end.value is not None:
                self._reply = end.value
            raise

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cancel(self) -> None:
        """Stop the answer; the iteration ends with what there is. Safe from any thread."""
        self._cancel.cancel()

    def close(self) -> None:
        """Give the buffers back now, finished or not; call it from the thread that iterates."""
        self._run.close()

    @property
    def reply(self) -> Reply:
        """The finished answer. Raises `EdgewardError` while chunks are still to come."""
        if self._reply is None:
            raise EdgewardError(
                "the answer is not finished: iterate over the stream to its end, or call result()."
            )
        return self._reply

    def result(self) -> Reply:
        """Run to the end and return the finished answer."""
        for _ in self:
            pass
        return self.reply


class AsyncStream:
    """`Stream` for asyncio: each piece is computed in a worker thread, the loop stays free.

    Cancelling the task that iterates stops the model too, inside a prefill as well.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Chunk:
        step = asyncio.ensure_future(asyncio.to_thread(_next_or_none, self._stream))
        try:
            chunk = await asyncio.shield(step)
        except asyncio.CancelledError:
            self._stream.cancel()
            await asyncio.wait([step])
            self._stream.close()
            raise
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def cancel(self) -> None:
        """Stop the answer; the iteration ends with what there is."""
        self._stream.cancel()

    @property
    def reply(self) -> Reply:
        """The finished answer. Raises `EdgewardError` while chunks are still to come."""
        return self._stream.reply

    async def result(self) -> Reply:
        """Run to the end and return the finished answer."""
        async for _ in self:
            pass
        return self.reply


def _next_or_none(stream: Stream) -> Chunk | None:
    # StopIteration cannot cross a future, so the end is None.
    return next(stream, None)
