"""A signed index as one file: the words as text, and a signature over that very text.

One file, so that an index and its signature are never of two versions. The signature covers the
text as it stands and not what a parser makes of it; nothing of the text is parsed before.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from edgeward.errors import ChannelError
from edgeward.manifest import Part

from . import keys
from .words import MAX_INDEX, Index

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

# What is signed begins with this, so that a signature made for another purpose is none here.
_PURPOSE = b"edgeward channel index 1\n"


class _Sealed(Part, frozen=True):
    format: Literal[1]
    index: str
    signature: Annotated[str, msgspec.Meta(max_length=200)]


def seal(index: Index, key: Ed25519PrivateKey) -> bytes:
    """The file of `index`, signed."""
    text = msgspec.json.encode(index)
    signature = base64.b64encode(key.sign(_PURPOSE + text)).decode()
    sealed = _Sealed(format=1, index=text.decode(), signature=signature)
    return msgspec.json.format(msgspec.json.encode(sealed), indent=1) + b"\n"


def unseal(raw: bytes, key: Ed25519PublicKey, where: str) -> Index:
    """The index in the file `raw`, if `key` signed it. Raises `ChannelError` naming `where`."""
    if len(raw) > MAX_INDEX:
        raise ChannelError(f"{where} has over {MAX_INDEX} bytes, which no index has.")
    try:
        sealed = msgspec.json.decode(raw, type=_Sealed)
        signature = base64.b64decode(sealed.signature, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise ChannelError(
            f"{where} is no signed index: {error}. Is this the address of a channel, made by "
            f"`edgeward publish`?"
        ) from None
    text = sealed.index.encode("utf-8", "surrogatepass")
    if not keys.is_signed(key, signature, _PURPOSE + text):
        raise ChannelError(
            f"{where} is not signed by the key of this channel: it was changed, or another key "
            f"signed it. Nothing of it was used."
        )
    try:
        return msgspec.json.decode(text, type=Index)
    except msgspec.DecodeError as error:
        raise ChannelError(
            f"{where} is signed but not understood: {error}. Update edgeward on this device."
        ) from None
