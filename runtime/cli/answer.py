"""Shows a streamed answer in a terminal; Ctrl-C stops the answer, inside a prefill too."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edgeward.errors import EdgewardError
from edgeward.machine import peak_memory
from edgeward.reply import Reply
from edgeward.stream import Stream


def show(stream: Stream) -> Reply:
    """Print the pieces as they come and return the reply.

    The model runs in a worker thread: Python delivers Ctrl-C to the main thread only, and not
    while that is inside a native call. After one Ctrl-C the reply ends as "cancelled".
    """
    pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for chunk in stream:
                pieces.put(chunk.text)
        except BaseException as error:
            pieces.put(error)
        else:
            pieces.put(None)

    worker = threading.Thread(target=work, name="edgeward-answer", daemon=True)
    with _ctrl_c_cancels(stream):
        worker.start()
        while (piece := pieces.get()) is not None:
            if isinstance(piece, EdgewardError):
                raise piece
            if isinstance(piece, BaseException):
                raise EdgewardError(f"the answer failed: {piece!r}") from piece
            sys.stdout.write(piece)
            sys.stdout.flush()
    return stream.reply


@contextmanager
def _ctrl_c_cancels(stream: Stream) -> Iterator[None]:
    """Ctrl-C cancels instead of raising: an exception could strike between any two lines."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: stream.cancel())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def figures(reply: Reply) -> str:
    """One line: tokens, time to the first token, speed, memory, and how the answer ended."""
    usage, timing = reply.usage, reply.timing
    parts = [f"{usage.prompt_tokens} tokens in"]
    if usage.cached_tokens:
        parts[0] += f" ({usage.cached_tokens} cached)"
    parts.append(f"{usage.completion_tokens} out")
    parts.append(f"first after {timing.first_token:.0f} ms")
    speed = timing.decode_tokens_per_second
    if speed is not None:
        parts.append(f"{speed:.0f} tokens/s")
    peak = peak_memory()
    if peak is not None:
        parts.append(f"peak memory {peak / 2**20:.0f} MiB")
    if reply.finish_reason != "stop":
        parts.append(f"ended by {reply.finish_reason}")
    return ", ".join(parts)


def refused(reply: Reply) -> bool:
    """True if a safety check stopped the question: nothing was computed."""
    return reply.finish_reason == "safety" and reply.usage.completion_tokens == 0


def objections(reply: Reply) -> list[str]:
    """A line for each safety check that objected or failed: what it was about, what was done.

    The reason names scores and places, never the text.
    """
    lines = []
    for verdict in reply.safety:
        if verdict.allowed and not verdict.failed:
            continue
        what = "the answer" if verdict.role == "assistant" else f"the {verdict.role}'s text"
        done = _DONE[verdict.action]
        lines.append(f"[safety: {verdict.check} {done} {what}: {verdict.reason}]")
    return lines


_DONE = {
    "allow": "failed on",
    "block": "blocked",
    "redact": "redacted",
    "replace": "replaced",
    "report": "reports on",
}
