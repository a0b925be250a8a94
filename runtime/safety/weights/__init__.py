"""The weights of the safety filters, as they ship: one versioned file and the hash it must have.

Knows: which file, its sha256. Does not know: how it was made (docs/safety-models.md), thresholds'
use.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from edgeward.errors import EdgewardError
from edgeward.kernels import _native

NAME = "safety-2.bin"
SHA256 = "61239855551c46477652c553e361d50912b9877b9fa1d86f198b730ca5ff7ed3"


@cache
def load() -> _native.SafetyModel:
    """The model that ships, read once. Raises as `read` does."""
    return _native.SafetyModel.from_bytes(read())


def read() -> bytes:
    """The bytes of the model that ships.

    Raises `EdgewardError` when the file is missing or is not the one this version was released
    with.
    """
    try:
        data = files(__name__).joinpath(NAME).read_bytes()
    except OSError as error:
        raise EdgewardError(
            f"the safety weights {NAME} cannot be read ({error}); install edgeward again."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise EdgewardError(
            f"the safety weights {NAME} have sha256 {found}, this version was released with "
            f"{SHA256}; install edgeward again."
        )
    return data
