"""Saves a session and takes it up again: joins sessions, their files and the caches of a model."""

from __future__ import annotations

from pathlib import Path

import edgeward
from edgeward import chat, store
from edgeward.errors import EdgewardError, OptionError, SessionError
from edgeward.kernels import _native
from edgeward.model import Model
from edgeward.pack import TOKENIZER

from . import session_file
from .core import Core
from .session_file import Binding
from .sessions import Session


def save(core: Core, name: str, path: Path) -> None:
    """Write the session to `path`. Raises `SessionError`, or `OptionError` for one not begun."""
    if name not in core.sessions.names():
        raise OptionError(f"there is no session {name!r}; service.sessions() lists them.")
    session = core.sessions.get(name)
    with session.turn():
        _, pool = core.model.opened()
        keys = pool.snapshot(session.last_ids)
        ids = session.last_ids[: keys.shape[4]]
        session_file.write(path, name, _binding(core.model), session.messages, ids, keys)


def restore(core: Core, path: Path, name: str | None) -> str:
    """Read a session from `path` and put it among the others."""
    header, keys = session_file.read(path)
    mine, theirs = _binding(core.model), header.binding
    if not mine.same_model(theirs):
        raise SessionError(
            f"{path} is a conversation with {theirs.pack!r} (pack sha256 "
            f"{theirs.pack_sha256[:12]}...), this service runs {mine.pack!r} "
            f"({mine.pack_sha256[:12]}...); serve that pack to go on with it."
        )
    chosen = header.name if name is None else name
    if not store.is_name(chosen):
        raise OptionError(f"{chosen!r} cannot name a session: use letters, digits, '.', '_', '-'.")
    session = Session(chosen)
    try:
        session.add(chat.normalize(header.messages) if header.messages else [], header.ids)
    except OptionError as error:
        raise SessionError(f"{path} is damaged: {error}") from None
    _, pool = core.model.opened()
    s = pool.shape
    sizes = (*s.sizes[:4], keys.shape[4], s.sizes[5])
    fits = keys.shape == sizes and keys.dtype == s.kind
    core.sessions.put(session)
    # Other versions and instruction sets round otherwise: what they computed is not mixed in.
    if mine == theirs and fits and 0 < len(header.ids) <= s.context:
        try:
            pool.deposit(header.ids, keys)
        except EdgewardError:
            core.sessions.forget(chosen)
            raise
    return chosen


def _binding(model: Model) -> Binding:
    engine, _ = model.opened()
    manifest = engine.pack.manifest
    return Binding(
        pack=manifest.name,
        pack_sha256=engine.pack.sha256,
        tokenizer_sha256=manifest.files[TOKENIZER].sha256,
        graph=engine.graph.file,
        onnxruntime=engine.runtime_version,
        edgeward=edgeward.__version__,
        instruction_set=_native.active_isa(),
    )
