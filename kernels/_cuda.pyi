# The CUDA kernels' module; exists in builds with EDGEWARD_CUDA=1 only. See on_device.py.
from typing import Any, TypedDict, final

import numpy as np
from numpy.typing import NDArray

class _Status(TypedDict):
    driver: int
    runtime: int
    devices: list[str]
    problem: str | None

@final
class Device:
    def __init__(
        self, vocab_size: int, max_rows: int, *, copies: bool = True, device: int = 0
    ) -> None: ...
    @property
    def max_rows(self) -> int: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def device(self) -> int: ...
    def sample(
        self,
        plan: NDArray[np.uint8],
        *,
        rows: int,
        flags: int,
        logits: Any,
        allowed: Any = None,
        stream: int = 0,
    ) -> NDArray[np.uint8]: ...

def status() -> _Status: ...
