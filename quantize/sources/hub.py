"""A model on the Hugging Face hub, through the `huggingface_hub` package and the user's own login.

Of a repository only the files a pack is made from are fetched: settings, tokenizer, one set of
weights. Interrupted downloads go on where they stopped; the package sees to that.
"""

from __future__ import annotations

import errno
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from edgeward import manifest
from edgeward.errors import EdgewardError, SourceError
from edgeward.pack import file_entry
from edgeward.quantize import disk
from edgeward.quantize.model_files import card_licence, model_sha256
from edgeward.quantize.progress import Progress

from . import Fetched
from .hub_files import RemoteFile, choose

KIND = "hub"

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_ID = re.compile(
    rf"(?P<repository>{_PART}/{_PART})(?:@(?P<revision>[A-Za-z0-9._/-]+))?(?::(?P<file>[^:]+))?"
)
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True)
class HubSource:
    """`Source` for `repository` at `revision` (None: its newest); `file` is one GGUF file of it."""

    repository: str
    revision: str | None = None
    file: str | None = None

    @property
    def name(self) -> str:
        if self.file is not None:
            return Path(self.file).stem
        return self.repository.rpartition("/")[2]

    @property
    def space(self) -> int:
        return 0  # only the hub knows; checked once it has been asked

    @property
    def size(self) -> int:
        return 0

    @property
    def weights(self) -> int:
        return 0

    def made(self, source: manifest.Source) -> bool:
        """A pack of the same repository and file; of any commit if none is asked for."""
        match = _ID.fullmatch(source.reference)
        if source.kind != KIND or match is None:
            return False
        same = match["repository"] == self.repository and match["file"] == self.file
        return same and self.revision in (None, match["revision"])

    def fetch(self, fetched: Path, work: Path, progress: Progress) -> Fetched:
        hub = _package()
        progress(f"ask the hub for {self.repository}", 0, 0)
        info = _asked(
            self.repository,
            lambda: hub.HfApi().model_info(
                self.repository, revision=self.revision, files_metadata=True
            ),
        )
        commit = _commit(info.sha)
        folder = fetched / commit  # another commit's files, left by an interrupted try, stay apart
        wanted = choose([_remote(one) for one in info.siblings], self.repository, self.file)
        disk.check_space(fetched, sum(file.size for file in wanted), f"fetching {self.repository}")
        for file in wanted:
            self._download(hub, file, commit, folder, progress)
        gguf = next((file for file in wanted if file.name.endswith(".gguf")), None)
        model = folder / gguf.name if gguf else folder
        source = manifest.Source(
            kind=KIND,
            reference=f"{self.repository}@{commit}" + (f":{self.file}" if self.file else ""),
            file=model.name if gguf else self.repository.rpartition("/")[2],
            format="gguf" if gguf else "safetensors",
            sha256=model_sha256(model),
        )
        return Fetched(model, source, card_licence(folder))

    def _download(
        self, hub: ModuleType, file: RemoteFile, commit: str, into: Path, progress: Progress
    ) -> None:
        progress(f"fetch {file.name}", 0, file.size, "bytes")
        options: dict[str, Any] = {}
        if "tqdm_class" in inspect.signature(hub.hf_hub_download).parameters:
            options["tqdm_class"] = _bar(f"fetch {file.name}", file.size, progress)
        _asked(
            self.repository,
            lambda: hub.hf_hub_download(
                self.repository, file.name, revision=commit, local_dir=into, **options
            ),
        )
        progress(f"fetch {file.name}", file.size, file.size, "bytes")
        entry = file_entry(into / file.name)
        if entry.size != file.size or file.sha256 not in (None, entry.sha256):
            raise SourceError(
                f"{file.name} of {self.repository} came as {entry.size} bytes with sha256 "
                f"{entry.sha256}; the hub says {file.size} bytes, {file.sha256}. Try again."
            )


def claim(text: str) -> HubSource | None:
    """The hub id `org/model[@revision][:file.gguf]`, if `text` has that form."""
    match = _ID.fullmatch(text)
    if match is None or ".." in text:
        return None
    if (file := match["file"]) is not None and not file.endswith(".gguf"):
        raise SourceError(
            f"{text}: after the ':' comes the name of a .gguf file in the repository; without one, "
            f"the repository's safetensors files are taken."
        )
    return HubSource(match["repository"], match["revision"], file)


def _commit(stated: object) -> str:
    if not isinstance(stated, str) or not _COMMIT.fullmatch(stated):
        raise SourceError(f"the hub says the commit {stated!r}, which is none. Try again.")
    return stated


def _remote(sibling: Any) -> RemoteFile:
    large = getattr(sibling, "lfs", None)
    return RemoteFile(
        sibling.rfilename, sibling.size or 0, None if large is None else str(large.sha256)
    )


def _package() -> ModuleType:
    try:
        return import_module("huggingface_hub")
    except ImportError as error:
        raise SourceError(
            f"hub ids need the package huggingface_hub ({error}): "
            f"`pip install 'edgeward[hub]'`. A catalog name or a local path needs nothing."
        ) from None


def _asked(repository: str, question: Callable[[], Any]) -> Any:
    """The answer, or a `SourceError` that names the problem.

    The package's errors come from several HTTP libraries by turns, with no common base; so this
    one place takes any `Exception` for a failed request.
    """
    try:
        return question()
    except EdgewardError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        raise SourceError(_problem(repository, error)) from error


def _problem(repository: str, error: Exception) -> str:
    kind = type(error).__name__
    first = str(error).strip().split("\n", 1)[0][:300]
    if kind == "GatedRepoError":
        hint = "accept its terms on its page, then log in with `hf auth login`"
    elif kind in ("RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"):
        hint = "check the spelling; for a private model log in with `hf auth login`"
    else:
        hint = "is there a network? A catalog name or a local path needs no hub"
    return f"{repository} could not be fetched from the Hugging Face hub: {kind}: {first} ({hint})."


def _bar(phase: str, total: int, progress: Progress) -> type:
    """A tqdm (which huggingface_hub brings along) that draws nothing and tells `progress`."""
    tqdm: Any = import_module("tqdm").tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)  # the package's own addition to tqdm's arguments
            super().__init__(*args, **{**options, "disable": True})
            self.n = options.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            progress(phase, min(int(self.n), total), total, "bytes")

    return Bar
