"""Tells an audit log what a service does. Knows: outcomes. Writes no text of requests."""

from __future__ import annotations

import logging
from typing import Any

from edgeward.errors import KeepError
from edgeward.telemetry.audit import AuditLog

from .core import Outcome

log = logging.getLogger("edgeward.audit")


class Auditor:
    """One line a request, and one for what changes what is kept."""

    def __init__(self, audit: AuditLog) -> None:
        self.audit = audit
        self.lost = 0
        """Events that could not be written, each with an error in the log."""

    def saw(self, outcome: Outcome) -> None:
        """A call ended. What cannot be written is told and counted: the answer is out already."""
        reply, call = outcome.reply, outcome.call
        facts: dict[str, Any] = {"kind": call.kind, "user": call.user, "session": call.session}
        if reply is None:
            facts["error"] = type(outcome.error).__name__
        else:
            facts |= {
                "end": reply.finish_reason,
                "receipt": reply.receipt.id,
                "pack_sha256": reply.receipt.pack_sha256,
                "prompt_sha256": reply.receipt.prompt_sha256,
                "tokens": [reply.usage.prompt_tokens, reply.usage.completion_tokens],
            }
        try:
            self.audit.add("request", **facts)
        except KeepError as error:
            self.lost += 1
            log.error("%s", error)
