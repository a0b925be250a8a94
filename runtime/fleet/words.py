"""The words of a channel: index, release, recipe. Frozen structures read as JSON; touches no file.

Format version 1. All of it is input from outside: unknown fields, wrong types and values out of
range are refused, and every size is bounded before anything of that size is fetched.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from edgeward.errors import ChannelError
from edgeward.manifest import Count, FileName, Part, Positive, Sha256
from edgeward.pack import MANIFEST

FORMAT = 1
INDEX = "index.json"
# An index holds a few lines a model; more is no index. A recipe holds a line a piece.
MAX_INDEX = 4 * 1024 * 1024
MAX_RECIPE = 64 * 1024 * 1024
MAX_PIECE = 1024 * 1024
MAX_PACK = 1 << 40

# Hundredths of a percent of the devices.
WHOLE = 10_000
Share = Annotated[int, msgspec.Meta(ge=0, le=WHOLE)]
PieceSize = Annotated[int, msgspec.Meta(ge=1, le=MAX_PIECE)]


class Release(Part, frozen=True):
    """One pack that devices may run.

    `pack` is the sha256 of its manifest, `recipe` that of the list of its pieces, of `recipe_size`
    bytes; `bytes` the size of all its files; `rollout` the share of devices it is for;
    `published` seconds since 1970.
    """

    pack: Sha256
    recipe: Sha256
    recipe_size: Annotated[int, msgspec.Meta(ge=1, le=MAX_RECIPE)]
    bytes: Annotated[int, msgspec.Meta(ge=1, le=MAX_PACK)]
    rollout: Share
    published: Count


Releases = Annotated[list[Release], msgspec.Meta(min_length=1, max_length=8)]


class Index(Part, frozen=True):
    """What a channel says now. `version` only grows; after `expires` it is not believed any more.

    `channel` names the channel at random, so that the index of one is no index of another with the
    same key. `models` holds releases, newest first; times are seconds since 1970.
    """

    format: Literal[1]
    channel: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    version: Positive
    made: Count
    expires: Count
    models: Annotated[dict[FileName, Releases], msgspec.Meta(max_length=4096)]


class RecipeFile(Part, frozen=True):
    """A file of a pack: the pieces that make it up, in order, each as (sha256, size in bytes)."""

    name: FileName
    size: Count
    sha256: Sha256
    pieces: Annotated[list[tuple[Sha256, PieceSize]], msgspec.Meta(max_length=1 << 22)]


class Recipe(Part, frozen=True):
    """How to put a pack together. `pack` is the sha256 of its manifest."""

    format: Literal[1]
    pack: Sha256
    files: Annotated[list[RecipeFile], msgspec.Meta(min_length=1, max_length=300)]


def read_recipe(raw: bytes, release: Release) -> Recipe:
    """The recipe of `release`, its sums checked. Raises `ChannelError`."""
    try:
        recipe = msgspec.json.decode(raw, type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChannelError(f"the recipe {release.recipe} is damaged: {error}.") from None
    problem = _problem(recipe, release)
    if problem:
        raise ChannelError(
            f"the recipe {release.recipe} contradicts the index: {problem}. Its publisher must "
            f"publish the pack again."
        )
    return recipe


def _problem(recipe: Recipe, release: Release) -> str:
    if recipe.pack != release.pack:
        return f"it is of the pack {recipe.pack}, not {release.pack}"
    names = [file.name.casefold() for file in recipe.files]
    if len(set(names)) < len(names):
        return "two files of one name"
    manifest = next((file for file in recipe.files if file.name == MANIFEST), None)
    if manifest is None or manifest.sha256 != recipe.pack:
        return f"no {MANIFEST} of that sha256"
    for file in recipe.files:
        if sum(size for _, size in file.pieces) != file.size:
            return f"the pieces of {file.name} are not its {file.size} bytes"
    if sum(file.size for file in recipe.files) != release.bytes:
        return f"its files are not {release.bytes} bytes"
    return ""


def piece_path(sha256: str) -> str:
    """Where a piece lies in a channel. Two letters of a folder: file systems dislike huge ones."""
    return f"pieces/{sha256[:2]}/{sha256}"


def recipe_path(sha256: str) -> str:
    """Where a recipe lies in a channel."""
    return f"recipes/{sha256}.json"
