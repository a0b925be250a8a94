"""Ed25519 keys in PEM, and signatures over bytes (RFC 8032). Makes and keeps no keys.

By the package `cryptography` (extra `fleet`) and not by `model-signing`, which signs packs: that
writes Sigstore bundles over folders and brings some thirty packages to every device, while a
channel signs one small file, and a signature of 64 bytes over those bytes says all there is to say.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgeward.errors import OptionError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_MAKE = "`openssl genpkey -algorithm ed25519 -out key.pem`"
_DERIVE = "`openssl pkey -in key.pem -pubout -out public.pem`"
# A PEM of one key has some hundred bytes.
_MAX_PEM = 64 * 1024


def private_key(path: Path) -> Ed25519PrivateKey:
    """The publisher's key. Raises `OptionError` for any other file."""
    _need()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    try:
        key = serialization.load_pem_private_key(_pem(path), password=None)
    except (ValueError, TypeError) as error:
        raise OptionError(
            f"{path} is no private key in PEM without a password: {error}. Make one with {_MAKE}."
        ) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise OptionError(f"{path} is a key of another kind than Ed25519. Make one with {_MAKE}.")
    return key


def public_key(pem: bytes, where: str) -> Ed25519PublicKey:
    """The key that an index must be signed by; `where` names its file in errors."""
    _need()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        hint = " It is a private key: keep that off devices." if b"PRIVATE" in pem else ""
        raise OptionError(
            f"{where} is no public key in PEM: {error}.{hint} Make it with {_DERIVE}."
        ) from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise OptionError(f"{where} is a key of another kind than Ed25519. Make one with {_MAKE}.")
    return key


def read_public(path: Path) -> bytes:
    """The PEM of a public key, in the form that `to_pem` gives. Raises `OptionError`."""
    return to_pem(public_key(_pem(path), str(path)))


def to_pem(key: Ed25519PublicKey) -> bytes:
    """The one PEM of a key, whatever spaces or comments its file had."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Whether `signature` is that key's over `content`."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _pem(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_PEM)
    except OSError as error:
        raise OptionError(f"the key {path} cannot be read: {error.strerror}.") from None


def _need() -> None:
    if find_spec("cryptography") is None:
        raise OptionError(
            "channels need the package cryptography: `pip install 'edgeward[fleet]'`."
        )
