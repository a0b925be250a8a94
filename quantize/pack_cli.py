"""`edgeward pack` and `edgeward verify` on the command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from edgeward import store
from edgeward.errors import OptionError

from . import disk
from .disk import in_words

Name = Annotated[str, typer.Argument(help="Name of a pulled pack, or a pack's folder.")]


def pack(
    model: Name,
    wheel: Annotated[
        Path | None, typer.Option(help="Write a wheel that pip installs into this folder.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the wheel.")] = "1.0.0",
    sign: Annotated[
        Path | None,
        typer.Option(help="Sign the pack with this private key (elliptic curve, PEM)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Sign a pack, or make a wheel of it that `pip install` puts where edgeward finds it.

    Examples:

      edgeward pack smollm2-135m --wheel dist

      edgeward pack smollm2-135m --sign key.pem --wheel dist
    """
    if wheel is None and sign is None:
        raise OptionError("`edgeward pack` needs --wheel FOLDER, --sign KEY, or both.")
    folder = folder_of(model)
    done: dict[str, object] = {"path": str(folder)}
    with disk.explained(wheel or folder):
        if sign is not None:
            from .sign import sign as make_signature

            done["signature"] = str(make_signature(folder, sign))
        if wheel is not None:
            from .model_wheel import make_wheel

            made = make_wheel(folder, wheel, version=version)
            done |= {"wheel": str(made), "bytes": made.stat().st_size}
    if as_json:
        print(json.dumps(done))
        return
    if sign is not None:
        print(f"signed: {done['signature']}")
    if wheel is not None:
        print(f"{done['wheel']} ({in_words(made.stat().st_size)}): pip install it, then load it.")


def verify(
    model: Name,
    key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) that must have signed the pack.")
    ] = None,
    no_run: Annotated[bool, typer.Option("--no-run", help="Do not load and run it once.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Check a pack: every hash, every bound, the signature, and that it runs.

    Exit code 0: all is as it should be; 1: it is not, and the message names what.

      edgeward verify smollm2-135m --key public.pem
    """
    from .verify import verify as check

    found = check(folder_of(model), key=key, run=not no_run)
    if as_json:
        print(json.dumps(dataclasses.asdict(found)))
        return
    signed = "signed by that key" if found.signed else "signature not checked (no --key)"
    ran = f"runs, {found.prompts} stored prompts answered as ever" if found.ran else "not run"
    print(
        f"{found.name}: {found.files} files, {in_words(found.bytes)}, sha256 {found.sha256}\n"
        f"hashes and bounds hold; {signed}; {ran}."
    )


def folder_of(model: str) -> Path:
    """A path is taken as it is; a bare name is looked up."""
    if "/" in model or (Path(model) / "manifest.json").is_file():
        return Path(model)
    return store.find(model)
