"""Every error a caller may want to catch: it names the value, the legal range and the next step."""

from __future__ import annotations


class EdgewardError(Exception):
    """Base of all errors raised on purpose by this package."""


class OptionError(EdgewardError, ValueError):
    """An argument is unknown or out of range."""


class ResponseFormatError(OptionError):
    """A response_format or tool is malformed, unsupported, contradictory or too large."""


class SourceError(EdgewardError):
    """A model could not be found or fetched (network, index, wrong hash, no space)."""


class IntakeError(EdgewardError):
    """A model file is damaged, or of a kind or architecture that cannot be converted."""


class PackError(EdgewardError):
    """A pack is missing, damaged, altered, or of another format version."""


class ChannelError(EdgewardError):
    """A model channel cannot be reached or must not be trusted, or a model of it was refused."""


class TokenizerError(EdgewardError):
    """A tokenizer file is missing, damaged or not supported, or an id is out of range."""


class TemplateError(EdgewardError):
    """A chat template is missing, failed to render, or left its sandbox."""


class ContextOverflow(EdgewardError):
    """The prompt does not fit the context; nothing was computed."""


class MemoryLimit(EdgewardError):
    """A request or a model would need more memory than it was given; nothing was allocated."""


class BudgetExceeded(EdgewardError):
    """A request cannot be served within its limits and its policy is to refuse."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which it may fit; None when waiting will not help."""


class Overloaded(BudgetExceeded):
    """Too many requests wait already; nothing was computed for this one."""


class KeepError(EdgewardError):
    """What should be kept on this device (feedback, an audit log) cannot be written or read."""


class SessionError(EdgewardError):
    """A saved conversation is missing, damaged, or of another model."""


class SafetyBlocked(EdgewardError):
    """A safety check refused the request."""


class Cancelled(EdgewardError):
    """The request was cancelled before it had produced an answer object."""


class ModelClosed(EdgewardError):
    """The model was closed; load it again."""
