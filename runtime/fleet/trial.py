"""Does a pack work on this device? Its stored prompts, one step of the model, and a gate command.

All of it before the pack is in use. Knows a folder; not versions or channels.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from pathlib import Path

import edgeward
from edgeward import golden
from edgeward.errors import ChannelError, EdgewardError, MemoryLimit, OptionError
from edgeward.graph_file import check_graph
from edgeward.pack import Pack

_GATE_SECONDS = 900.0
_TOLD = 400


class Failed(ChannelError):
    """The pack must not be used here; the message says why."""


def check(folder: Path, gate: str) -> None:
    """Raise `Failed` unless the pack in `folder` answers as it should and `gate` accepts it."""
    try:
        pack = Pack.open(folder)
        for graph in pack.manifest.graphs:
            check_graph(pack.path(graph.file), graph.data, pack.manifest.files[graph.data].size)
        golden.check(pack)
        _one_step(folder, encoder=pack.manifest.embedding is not None)
    except MemoryLimit as error:  # of this moment, not of the pack
        raise ChannelError(f"the new version could not be tried now: {error}") from error
    except EdgewardError as error:
        raise Failed(str(error)) from error
    if gate:
        _ask(gate, folder, pack.manifest.name)


def split(gate: str) -> list[str]:
    """The words of a gate command. Raises `OptionError`."""
    try:
        return shlex.split(gate)
    except ValueError as error:
        raise OptionError(f"gate={gate!r} is no command: {error}.") from None


def _one_step(folder: Path, *, encoder: bool) -> None:
    with edgeward.load(folder, context=None if encoder else 16) as model:
        if encoder:
            model.embed("a")
        else:
            model.generate([0, 0], max_tokens=1, temperature=0)


def _ask(gate: str, folder: Path, name: str) -> None:
    """Run the command with the pack's folder in its environment: exit code 0 accepts."""
    environment = {**os.environ, "EDGEWARD_PACK": str(folder), "EDGEWARD_MODEL": name}
    try:
        child = subprocess.Popen(
            split(gate),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise ChannelError(f"the gate `{gate}` cannot be run: {error.strerror}.") from None
    try:
        said, _ = child.communicate(timeout=_GATE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"the gate `{gate}` took over {_GATE_SECONDS:.0f} seconds.") from None
    finally:
        _end(child)
    if child.returncode != 0:
        last = said.decode("utf-8", "replace").strip()[-_TOLD:]
        raise Failed(f"the gate `{gate}` ended with {child.returncode}: {last or 'said nothing'}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, AttributeError):
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
    child.wait()
