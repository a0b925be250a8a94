"""What a check says about a text, and what is done about it.

Knows: the words of an answer. Does not know: checks, models, requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Policy = Literal["block", "redact", "replace", "report"]
"""What is done about a finding: `block` ends the request, `redact` puts a name in the place of what
was found, `replace` ends it with a sentence of your own, `report` only tells."""

OnFailure = Literal["block", "allow"]
"""What a check that raises or overruns its time means: `block` (closed) or `allow` (open)."""

Action = Literal["allow", "block", "redact", "replace", "report"]

POLICIES: tuple[str, ...] = get_args(Policy)


@dataclass(frozen=True)
class Finding:
    """A place in a text that a check objects to."""

    begin: int
    end: int
    """Characters of the text, half open."""
    category: str


@dataclass(frozen=True)
class Verdict:
    """What one check says about one text."""

    check: str
    """Name of the check."""
    category: str
    """What was found or looked for: "toxicity", "email" ...; "failure" for a check that failed."""
    allowed: bool
    score: float
    """Probability, or certainty of a finding, in [0, 1]."""
    threshold: float
    """The score from which the check objects."""
    reason: str = ""
    """One sentence for a person."""
    span: tuple[int, int] | None = None
    """The first place that is objected to, in characters; None: the text as a whole."""
    findings: tuple[Finding, ...] = ()
    """All places, in order, for checks that know them."""
    role: str = "user"
    """Whose text it was: "user", "tool" ...; "assistant" for the reply."""
    message: int | None = None
    """The message of the conversation that it is about; None for a plain prompt or the reply."""
    action: Action = "allow"
    """What was done about it."""
    failed: bool = False
    """The check itself raised or overran its time."""
