"""Signatures of packs in the form of OpenSSF Model Signing (Sigstore bundles), offline.

Knows the `model-signing` package (extra `sign`). Keys are the user's: nothing here makes, keeps or
sends any. Format: https://github.com/sigstore/model-transparency
"""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgeward.errors import OptionError, PackError
from edgeward.pack import Pack

SIGNATURE = "model.sig"
# More is no signature of a folder of a few files.
_MAX_SIGNATURE = 4 * 1024 * 1024


def sign(pack: Path, private_key: Path) -> Path:
    """Sign the pack in folder `pack` with an elliptic-curve key in PEM; returns the signature.

    The signature covers every file of the folder but itself, and is written to `model.sig` in it;
    one that is there is replaced. A key is made by
    `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.

    Raises `PackError` for a pack that does not verify, `OptionError` for a key that cannot be used.
    """
    signing, _ = _tools()
    _key(private_key)
    Pack.open(pack)
    handle, made = tempfile.mkstemp(prefix=".model.", suffix=".sig", dir=pack.absolute().parent)
    os.close(handle)
    try:
        try:
            config = signing.Config().use_elliptic_key_signer(private_key=private_key)
        except (ValueError, TypeError) as error:
            raise OptionError(
                f"{private_key} is no private elliptic-curve key in PEM without a password: "
                f"{error}. Make one with `openssl ecparam -name prime256v1 -genkey -noout`."
            ) from None
        config.set_hashing_config(_hashing(pack)).sign(pack, Path(made))
        os.chmod(made, 0o644)
        os.replace(made, pack / SIGNATURE)
    except BaseException:
        os.unlink(made)
        raise
    return pack / SIGNATURE


def check(pack: Path, public_key: Path) -> None:
    """Raise `PackError` unless `model.sig` in `pack` is that key's, over the files as they are."""
    _, verifying = _tools()
    _key(public_key)
    signature = pack / SIGNATURE
    try:
        if signature.stat().st_size > _MAX_SIGNATURE:
            raise PackError(f"{signature} is over {_MAX_SIGNATURE} bytes, which no signature is.")
    except OSError:
        raise PackError(
            f"{pack} is not signed: it has no {SIGNATURE}. Sign it with `edgeward pack --sign`, or "
            f"verify without a key."
        ) from None
    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    except (ValueError, TypeError) as error:
        raise OptionError(
            f"{public_key} is no public elliptic-curve key in PEM: {error}. Make it with `openssl "
            f"ec -in key.pem -pubout`."
        ) from None
    try:
        config.set_hashing_config(_hashing(pack)).verify(pack, signature)
    except Exception as error:  # the package raises many kinds, all about the signature or files
        raise PackError(
            f"{signature} does not fit the files beside it and {public_key}: {error}. The pack was "
            f"changed, or another key signed it; do not use it."
        ) from error


def _hashing(pack: Path) -> Any:
    from model_signing import hashing

    config = hashing.Config()
    config.set_ignored_paths(paths=[pack / SIGNATURE], ignore_git_paths=False)
    return config


def _tools() -> tuple[Any, Any]:
    if find_spec("model_signing") is None:
        raise OptionError(
            "signatures need the package model-signing: `pip install 'edgeward[sign]'`."
        )
    from model_signing import signing, verifying

    return signing, verifying


def _key(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise OptionError(f"the key {path} cannot be read: {error.strerror}.") from None
