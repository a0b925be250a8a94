"""A lock on an open file, which the system gives back when its holder ends, however it ends."""

from __future__ import annotations

import sys


def try_lock(handle: int) -> bool:
    """Take the file of this descriptor for as long as it is open; False if another holds it.

    Another is any other open file description, of this process too.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
