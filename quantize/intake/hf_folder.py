"""A Hugging Face folder as `Weights`: config.json and safetensors files, mapped into memory.

Knows both formats. Needs no torch. Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import IntakeError
from edgeward.quantize.weights import Floats, Grid, Weights

from . import checks, config
from .assemble import Order, assemble
from .gguf_types import bfloat16

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

# Headers and indexes of the largest models are a few MB.
_MAX_JSON = 100 * 1024 * 1024
_WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
# Numbers of positions, which old files hold as if they were weights.
_NO_WEIGHTS = ("position_ids",)


@dataclass(frozen=True)
class SafeTensor:
    """A tensor in a mapped file: `raw` uint8 (rows, bytes a row).

    `order`, where given, says which stored row each row is.
    """

    path: Path
    name: str
    storage: str
    shape: tuple[int, ...]
    raw: NDArray[np.uint8]
    order: NDArray[np.intp] | None = None

    def pick(self, rows: slice | Order) -> SafeTensor:
        if isinstance(rows, slice):
            raw = self.raw[rows]
            return replace(self, raw=raw, shape=(raw.shape[0], *self.shape[1:]))
        return replace(self, order=rows, shape=(rows.size, *self.shape[1:]))

    def floats(self, start: int, stop: int) -> Floats:
        rows = slice(start, stop) if self.order is None else self.order[start:stop]
        raw = np.ascontiguousarray(self.raw[rows])
        if self.storage == "BF16":
            values = bfloat16(raw)
        else:
            values = raw.view("<f4" if self.storage == "F32" else "<f2").astype(np.float32)
        checks.finite(self.path, self.name, values)
        return values

    def grid(self, start: int, stop: int) -> Grid | None:
        return None


def read(folder: Path) -> Weights:
    """Open the Hugging Face model in `folder`; of the weights nothing but headers is read.

    Raises `IntakeError` for a folder that is no model, lacks files or tensors, is damaged, or of
    an unknown architecture.
    """
    settings = read_json(folder / "config.json")
    family = config.family(folder, settings)
    found = read_tensors(folder)
    names = family.hf_names
    architecture, factors = config.architecture(folder, settings, family, found)
    checks.architecture(folder, architecture)
    # Tied models sometimes store the head a second time; rotary frequencies follow from config.
    spare = {names["head"]} if architecture.tied_head else set()
    tensors = assemble(
        folder,
        found,
        family,
        "hf",
        architecture,
        factors,
        ignored=lambda name: name in spare or name.endswith(".rotary_emb.inv_freq"),
    )
    return Weights(architecture, tensors, "safetensors", settings)


def read_tensors(folder: Path) -> dict[str, SafeTensor]:
    """Every tensor of the folder's safetensors files, by its name; mapped, not read."""
    files = _files(folder)
    found: dict[str, SafeTensor] = {}
    for file in files:
        for name, tensor in _read_file(folder / file).items():
            if name in found:
                raise IntakeError(
                    f"{folder}: tensor '{name}' is in {found[name].path.name} and in {file}; a "
                    f"shard of another model may lie in the folder. Fetch the model again."
                )
            found[name] = tensor
    return found


def read_json(path: Path, kind: type = dict) -> Any:
    """An object (or a list) from a JSON file of the model; `IntakeError` if there is none."""
    try:
        if path.stat().st_size > _MAX_JSON:
            raise IntakeError(f"{path} is over {_MAX_JSON} bytes, which no such file is.")
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise IntakeError(
            f"{path.parent} has no {path.name}; give a Hugging Face folder with config.json and "
            f"*.safetensors, or a .gguf file."
        ) from None
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"{path} is not JSON: {error}. Fetch the file again.") from None
    except OSError as error:
        raise IntakeError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(value, kind):
        what = "object" if kind is dict else kind.__name__
        raise IntakeError(f"{path} is not a JSON {what}. Fetch the file again.")
    return value


def _files(folder: Path) -> list[str]:
    """Names of the shards: those that the index names, or the single file."""
    if not (folder / INDEX).exists():
        return [SINGLE]
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, Mapping) or not shards:
        raise IntakeError(f"{folder / INDEX} names no shards. Fetch the file again.")
    names = sorted({str(name) for name in shards.values()})
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise IntakeError(
                f"{folder / INDEX} names the shard '{name}'; shards are *.safetensors in the same "
                f"folder. Fetch the file again."
            )
    return names


def _read_file(path: Path) -> dict[str, SafeTensor]:
    try:
        content: NDArray[np.uint8] = np.memmap(path, np.uint8, mode="r")
    except FileNotFoundError:
        raise IntakeError(f"{path} is missing. Fetch the whole model again.") from None
    except ValueError:
        raise IntakeError(f"{path} is empty. Fetch the file again.") from None
    except OSError as error:
        raise IntakeError(f"{path} cannot be read: {error.strerror}.") from None
    size = int(content[:8].view("<u8")[0]) if content.size >= 8 else -1
    if not 2 <= size <= min(content.size - 8, _MAX_JSON):
        raise IntakeError(
            f"{path} is no safetensors file or is cut off: its header should have {size} bytes, "
            f"the file has {content.size}. Fetch the file again."
        )
    try:
        header = json.loads(content[8 : 8 + size].tobytes())
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"{path}: its header is not JSON ({error}). Fetch it again.") from None
    if not isinstance(header, dict):
        raise IntakeError(f"{path}: its header is no JSON object. Fetch the file again.")
    header.pop("__metadata__", None)
    data = content[8 + size :]
    return {
        name: _tensor(path, name, entry, data)
        for name, entry in header.items()
        if not name.endswith(_NO_WEIGHTS)
    }


def _tensor(path: Path, name: str, entry: Any, data: NDArray[np.uint8]) -> SafeTensor:
    """One entry of the header, checked against the file."""
    try:
        storage, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, begin, end]
    except (KeyError, TypeError, ValueError):
        raise IntakeError(f"{path}: the entry of '{name}' is damaged. Fetch it again.") from None
    if not isinstance(storage, str) or storage not in _WIDTHS:
        raise IntakeError(
            f"{path}: tensor '{name}' has the type {storage!r}; {', '.join(_WIDTHS)} can be read. "
            f"Take the model in one of these."
        )
    # type() and not isinstance: true is an int, but no size.
    if any(type(number) is not int or number < 0 for number in numbers) or not shape:
        raise IntakeError(f"{path}: tensor '{name}' has the shape {shape}. Fetch it again.")
    if end > data.size or end - begin != math.prod(shape) * _WIDTHS[storage] or begin == end:
        raise IntakeError(
            f"{path} is cut off or damaged: tensor '{name}' of shape {shape} claims bytes {begin} "
            f"to {end} of {data.size}. Fetch the file again."
        )
    rows = math.prod(shape[:-1])
    return SafeTensor(path, name, storage, tuple(shape), data[begin:end].reshape(rows, -1))
