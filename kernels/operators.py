"""The operator library: where it lies, and the few functions that ONNX Runtime does not call.

ONNX Runtime loads the library itself (`register_custom_ops_library`); loaded here a second time it
is the same one. Knows teams of threads and stop flags by number; does not know models.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from pathlib import Path

LIBRARY = Path(__file__).parent / "libedgeward_ops.so"

SPIN_US = 200
"""Microseconds that a waiting thread of a team spins before it sleeps.

Long enough for what a request does between two steps (sampling, text), short enough that a process
that waits for its user takes no processor.
"""

_ERROR_BYTES = 512


def problem() -> str | None:
    """Why the library cannot be loaded here, or None."""
    try:
        _library()
    except OSError as error:
        return f"the operator library cannot be loaded: {error}"
    return None


def instruction_set() -> str:
    """The instruction set that the operators run with."""
    return str(_library().edgeward_isa().decode())


class Team:
    """A team of threads, the caller being one of them; `number` goes into the graph's `control`."""

    def __init__(self, threads: int, spin_us: int = SPIN_US, *, pin: bool = False) -> None:
        """Start the threads. Raises `ValueError` for counts out of range, `OSError` for none."""
        reason = ctypes.create_string_buffer(_ERROR_BYTES)
        self.number = int(
            _library().edgeward_team_open(threads, spin_us, int(pin), reason, _ERROR_BYTES)
        )
        if self.number == 0:
            raise ValueError(reason.value.decode(errors="replace"))
        self._end = weakref.finalize(self, _library().edgeward_team_close, self.number)

    @property
    def memory(self) -> int:
        """Bytes that its calls work in."""
        return int(_library().edgeward_team_memory(self.number))

    def close(self) -> None:
        """End the threads, once the call that runs is over. A second time does nothing."""
        self._end()


class StopFlag:
    """Stops runs from any thread; `number` goes into the graph's `control`."""

    def __init__(self) -> None:
        self.number = int(_library().edgeward_stop_open())
        if self.number == 0:
            raise MemoryError("no memory for a stop flag")
        self._end = weakref.finalize(self, _library().edgeward_stop_close, self.number)

    def set(self) -> None:
        """End the runs that have it, within milliseconds, with an error. It stays set."""
        _library().edgeward_stop_set(self.number)

    def close(self) -> None:
        """Forget it. A second time does nothing."""
        self._end()


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(LIBRARY))
    number, whole = ctypes.c_int64, ctypes.c_int32
    library.edgeward_isa.restype = ctypes.c_char_p
    library.edgeward_team_open.restype = number
    library.edgeward_team_open.argtypes = [whole, whole, whole, ctypes.c_char_p, ctypes.c_size_t]
    library.edgeward_team_memory.restype = number
    library.edgeward_stop_open.restype = number
    for name in ("team_close", "team_memory", "stop_set", "stop_close"):
        getattr(library, f"edgeward_{name}").argtypes = [number]
    for name in ("team_close", "stop_set", "stop_close"):
        getattr(library, f"edgeward_{name}").restype = None
    return library
