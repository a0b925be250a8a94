"""Types of the Cython module; `mypy.stubtest` proves them against the binary."""

from collections.abc import Iterable, Sequence
from typing import Protocol, final

class _Streamable(Protocol):
    def stream_table(
        self,
    ) -> tuple[bytes, bytes, bytes, bytes, bytes, bool, str, int, bool, bool]: ...
    def decode(self, ids: Sequence[int], skip_special_tokens: bool = ..., /) -> str: ...

@final
class TokenTable:
    def __init__(self, tokenizer: _Streamable) -> None: ...
    def __len__(self) -> int: ...

@final
class Detokenizer:
    @property
    def stopped(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    def __init__(
        self,
        tokenizer: TokenTable | _Streamable,
        *,
        stop: Iterable[str] = (),
        skip_special_tokens: bool = True,
    ) -> None: ...
    def push(self, id: int) -> str: ...
    def finish(self) -> str: ...
