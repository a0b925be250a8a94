"""`edgeward.pull`: from a source's name to a verified pack in the store. The order of the work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from math import prod
from os import PathLike
from pathlib import Path

import msgspec

from edgeward import pack, store
from edgeward.errors import OptionError, PackError, SourceError
from edgeward.manifest import Generation, Manifest
from edgeward.pack import Pack

from . import disk
from . import store as writing
from .model_files import licence_of
from .progress import Progress, silent
from .sources import Fetched, Source, path, resolve
from .tokenizer_files import collect, tokenizer_json

DEFAULT_BITS = 8

# What the extra [quantize] brings and converting uses.
TOOLS = ("onnx", "gguf")


def pull(
    source: str | PathLike[str],
    *,
    name: str | None = None,
    bits: int = DEFAULT_BITS,
    evaluate: bool = True,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Fetch a model, convert it, and put it into the store as a pack; returns the pack's folder.

    A pack of that name, source and width that is there and verifies is returned at once, without
    the network. Several pulls may run at the same time: of one name, one works and the others wait
    and take its result. An interrupted pull leaves no half pack and nothing is lost: a pack that
    `force` replaces stays until the new one is complete.

    Args:
        source: catalog name ("smollm2-135m"), path of a .gguf file or a Hugging Face folder, or
            hub id ("org/model", "org/model:file.gguf"); see docs/pull.md. The catalog wins over a
            folder of the same name (write "./name" for the folder), a path over a hub id.
        name: name of the pack; otherwise made from the source's.
        bits: bits a weight of the linear layers.
        evaluate: measure the loss of quantization and write it into the pack (takes longer). A pack
            that is there is taken as it is.
        force: make the pack anew even if it is there, or if its name is taken by another model.
        progress: told the phase and how far it is; see `edgeward.quantize.progress.Progress`.

    Raises:
        SourceError: not found, not fetched, wrong hash, name taken, no space, no permission.
        IntakeError: the model is damaged or of a kind that cannot be converted.
        OptionError: `name` or `bits` is out of range.

    >>> edgeward.pull("smollm2-135m")                                 # doctest: +SKIP
    PosixPath('/home/ada/.local/share/edgeward/packs/smollm2-135m')
    """
    tell = progress or silent
    found = resolve(source) if isinstance(source, str) else path.of(source)
    chosen = store.check_name(name) if name is not None else default_name(found, bits)
    with disk.explained(store.home()):
        if not force and (ready := _ready(chosen, found, bits, tell)) is not None:
            return ready
        with writing.hold(chosen, tell):
            # Another pull may have made it while this one waited.
            if not force and (ready := _ready(chosen, found, bits, tell)) is not None:
                return ready
            return _make(found, chosen, bits, evaluate, tell)


def default_name(source: Source, bits: int) -> str:
    """The source's name made safe; with the width, unless it is the usual one."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", source.name).lstrip("._-") or "model"
    return safe[:100] if bits == DEFAULT_BITS else f"{safe[:100]}-{bits}bit"


def _make(source: Source, name: str, bits: int, evaluate: bool, progress: Progress) -> Path:
    _check_tools()
    # Only now: the graph builder takes a while to import, and a pack may be there already.
    from . import encoders
    from .convert import BITS, convert
    from .intake import read_model

    if bits not in BITS:
        raise OptionError(f"bits={bits!r} is not known; choose one of {BITS}.")
    home = store.home()
    needed = max(source.space, source.size + pack_bytes(source.weights, bits))
    disk.check_space(home, needed, f"pulling {name}")
    with disk.explained(home, needed), writing.workspace(name) as space:
        fetched = source.fetch(space.fetched, space.work, progress)
        progress("convert", 0, 0)
        if encoders.is_encoder(fetched.model):
            made = _make_encoder(fetched, name, bits, space.work, progress)
            return writing.install(made, name, space)
        weights = read_model(fetched.model)  # first: an unknown architecture is the clearer error
        count = sum(prod(tensor.shape) for tensor in weights.tensors.values())
        disk.check_space(home, pack_bytes(count, bits), f"converting {name}")
        files = collect(fetched.model, weights.metadata)
        made = space.work / "pack"
        convert(
            fetched.model,
            made,
            name=name,
            source=fetched.source,
            licence=fetched.licence or licence_of(fetched.model, weights.metadata),
            tokenizer=files.tokenizer,
            chat_template=files.chat_template,
            generation=_advised(files.generation, fetched.advice),
            bits=bits,
            evaluate=evaluate,
            progress=progress,
        )
        return writing.install(made, name, space)


def _make_encoder(fetched: Fetched, name: str, bits: int, work: Path, progress: Progress) -> Path:
    from . import encoders
    from .convert_encoder import convert_encoder

    weights = encoders.read(fetched.model)
    count = sum(prod(tensor.shape) for tensor in weights.tensors.values())
    disk.check_space(work, pack_bytes(count, bits), f"converting {name}")
    convert_encoder(
        fetched.model,
        work / "pack",
        name=name,
        source=fetched.source,
        licence=fetched.licence or licence_of(fetched.model, weights.metadata),
        tokenizer=tokenizer_json(fetched.model),
        bits=bits,
    )
    return work / "pack"


def _check_tools() -> None:
    for tool in TOOLS:
        if find_spec(tool) is None:
            raise SourceError(
                f"making packs needs the package {tool}: `pip install 'edgeward[quantize]'`. "
                f"Running a pack does not."
            )


def _advised(found: Generation, advice: Mapping[str, float]) -> Generation:
    """`found`, with `advice` where the model's own files say nothing."""
    silent_on = {name: v for name, v in advice.items() if getattr(found, name) is None}
    return msgspec.structs.replace(found, **silent_on)


def pack_bytes(weights: int, bits: int) -> int:
    """What a pack of so many weights takes on the disk, rounded up.

    Blocks with their scales, the fused graph's of at most 10 bits beside those of 8, and tokenizer
    and graphs: tokenizer.json and its compiled form take 43 MB of a vocabulary of 262,000.
    """
    if not weights:
        return 0
    fused = weights * 10 / 8 if bits != 32 else 0
    return int(weights * bits / 8 * 1.2 + fused) + 48 * 1000 * 1000


def _ready(name: str, source: Source, bits: int, progress: Progress) -> Path | None:
    """The pack `name` if it is there, whole, and made from `source` in this width."""
    folder = store.pack_folder(name)
    if not (folder / pack.MANIFEST).exists():
        return None
    progress(f"verify {name}", 0, 0)
    try:
        manifest = Pack.open(folder).manifest
    except PackError as error:
        progress(f"make {name} anew: {error}", 0, 0)
        return None
    if not source.made(manifest.source):
        raise _taken(name, f"was made from {manifest.source.reference}")
    if _width(manifest) != bits:
        raise _taken(name, f"has {_width(manifest)} bits a weight, not {bits}")
    return folder


def _taken(name: str, why: str) -> SourceError:
    return SourceError(
        f"the name '{name}' is taken by a pack that {why}. Give another name "
        f"(`--name`), or replace it (`--force`)."
    )


def _width(manifest: Manifest) -> int:
    """Bits a weight of the linear layers: the smallest there is."""
    return min((group.bits for group in manifest.quantization), default=0)
