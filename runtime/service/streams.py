"""The two faces of a service's running answer: for threads, and for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TypeAlias

from edgeward.cancel import CancelToken
from edgeward.errors import EdgewardError
from edgeward.reply import Chunk, Reply
from edgeward.stream import Stream

from .job import Job

_Event: TypeAlias = "Chunk | Reply | BaseException | None"


class ServiceStream(Stream):
    """A `Stream` that gives its place back: at its end, by `close()`, or when it is dropped."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.chunks(), job.ticket)
        self._job = job

    def close(self) -> None:
        """Stop the answer and give its place to others; call it from the thread that iterates."""
        super().close()
        self._job.close()

    def __del__(self) -> None:
        self._job.close()


class AsyncAnswer:
    """A running answer for asyncio: one worker thread makes it, the loop never waits for the model.

    Pieces that are not read yet are kept. Cancelling the task that reads stops the model too.
    """

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[_Event] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._reply: Reply | None = None

    def pump(self, job: Job) -> None:
        """Run the job in the calling thread. The first event is None: it was let in."""
        try:
            job.start()
            self._post(None)
            run = job.chunks()
            while True:
                self._post(next(run))
        except StopIteration as end:
            self._post(end.value)
        except BaseException as error:
            self._post(error)

    def _post(self, event: _Event) -> None:
        # A loop that was closed meanwhile has nobody to tell; the answer is of no use then.
        try:
            self._loop.call_soon_threadsafe(self._arrive, event)
        except RuntimeError:
            self._cancel.cancel()

    def _arrive(self, event: _Event) -> None:
        if isinstance(event, Reply | BaseException):
            self._ended.set()
        self._events.put_nowait(event)

    async def started(self) -> None:
        """Wait until it was let in. Raises what refused it."""
        await self._next()

    async def _next(self) -> Chunk | Reply | None:
        try:
            event = await self._events.get()
        except asyncio.CancelledError:
            await self._stop()
            raise
        if isinstance(event, BaseException):
            raise event
        return event

    async def _stop(self) -> None:
        """Cancel, and return when the worker has given everything back."""
        self._cancel.cancel()
        while not self._ended.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self._ended.wait()

    def __aiter__(self) -> AsyncAnswer:
        return self

    async def __anext__(self) -> Chunk:
        if self._reply is None:
            event = await self._next()
            if isinstance(event, Chunk):
                return event
            assert isinstance(event, Reply)
            self._reply = event
        raise StopAsyncIteration

    def cancel(self) -> None:
        """Stop the answer; the iteration ends with what there is."""
        self._cancel.cancel()

    async def aclose(self) -> None:
        """Stop the answer and wait until its place is free."""
        await self._stop()

    @property
    def reply(self) -> Reply:
        """The finished answer. Raises `EdgewardError` while chunks are still to come."""
        if self._reply is None:
            raise EdgewardError(
                "the answer is not finished: iterate over it to its end, or await result()."
            )
        return self._reply

    async def result(self) -> Reply:
        """Run to the end and return the finished answer."""
        async for _ in self:
            pass
        return self.reply
