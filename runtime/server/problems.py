"""What went wrong, as an HTTP status and an error in the form that OpenAI's clients read."""

from __future__ import annotations

import math
from typing import Any

from edgeward.errors import (
    BudgetExceeded,
    Cancelled,
    ContextOverflow,
    EdgewardError,
    KeepError,
    MemoryLimit,
    ModelClosed,
    OptionError,
    Overloaded,
    SafetyBlocked,
    SessionError,
    TemplateError,
)


class Problem(Exception):
    """An error with its HTTP status. `close`: the connection is of no use afterwards."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str | None = None,
        retry_after: float | None = None,
        headers: dict[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param
        self.kind = kind or ("invalid_request_error" if status < 500 else "server_error")
        self.headers = dict(headers or {})
        if retry_after is not None:
            # Whole seconds, and never 0: a client that comes back at once only adds to the load.
            self.headers["retry-after"] = str(max(1, math.ceil(retry_after)))
        if close:
            self.headers["connection"] = "close"

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the response."""
        return {
            "error": {
                "message": str(self),
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


def problem_of(error: BaseException) -> Problem:
    """The problem that an exception is to a client; one that is our fault tells no details."""
    match error:
        case Problem():
            return error
        case Overloaded():
            retry = error.retry_after or 1.0
            kind = "rate_limit_error"
            return Problem(429, str(error), code="overloaded", kind=kind, retry_after=retry)
        case BudgetExceeded() if error.retry_after is not None:
            return Problem(
                429,
                str(error),
                code="budget_exceeded",
                kind="rate_limit_error",
                retry_after=error.retry_after,
            )
        case BudgetExceeded():
            return Problem(422, str(error), code="budget_exceeded")
        case ContextOverflow():
            return Problem(400, str(error), code="context_length_exceeded", param="messages")
        case SafetyBlocked():
            return Problem(400, str(error), code="content_filter")
        case MemoryLimit():
            return Problem(503, str(error), code="memory_limit", retry_after=1.0)
        case ModelClosed():
            return Problem(503, str(error), code="closed")
        case KeepError():
            return Problem(507, str(error), code="not_kept")
        case Cancelled():
            return Problem(503, str(error), code="cancelled", retry_after=1.0)
        case OptionError() | TemplateError() | SessionError():
            return Problem(400, str(error))
        case EdgewardError():
            return Problem(500, str(error))
        case _:
            return Problem(500, "an error in the server; its log has the details.")
