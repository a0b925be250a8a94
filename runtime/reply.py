"""What a request gives back: the text, how it ended, what it took, and what replays it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .safety.verdict import Verdict

FinishReason = Literal["stop", "length", "deadline", "cancelled", "safety"]
"""`stop`: the model or a stop string ended it; `length`: max_tokens or the context is full;
`deadline`: the time that a service's budget allows in all was over; `safety`: a check objected, see
`Reply.safety`."""


@dataclass(frozen=True)
class TokenLogprob:
    """Natural logarithms of the probabilities of the chosen token and of the likeliest ones."""

    id: int
    token: str
    logprob: float
    top: tuple[tuple[int, str, float], ...] = ()
    """The likeliest tokens as (id, text, logprob), best first."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a streamed answer: text that is final, and the tokens it took."""

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    """Set on the last chunk only; its text may be empty."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Usage:
    """Tokens that went in and came out."""

    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens whose keys and values were still there from an earlier request."""
    completion_tokens: int
    """Tokens sampled or forced, the one that ended the answer and hidden ones included."""
    forced_tokens: int = 0
    """Of these, tokens that a grammar left no choice about: they cost no step of the model."""
    prompt_truncated: bool = False
    """True where a service dropped the oldest turns of a conversation to fit a limit; a model alone
    refuses a prompt that does not fit and never cuts one."""


@dataclass(frozen=True)
class Timing:
    """Milliseconds of work, by a monotonic clock; a consumer's time between chunks is not in it."""

    tokenize: float
    prefill: float
    first_token: float
    """From the call to the first visible text (to the end for an empty answer)."""
    per_token: tuple[float, ...]
    """For each token: model step (none for the first), sampling, text; 0 for a forced one, which is
    computed in the step of a later one."""
    total: float
    host: tuple[float, ...] = ()
    """For each model step after the prefill: the time from the logits before it to its start, in
    which a token is chosen and its text made."""
    safety: float = 0.0
    """Checks of the prompt and of the reply, all together; it is in the other times, too."""

    @property
    def decode_tokens_per_second(self) -> float | None:
        """Speed after the first token; None for an answer of one token."""
        rest = self.per_token[1:]
        return len(rest) / sum(rest) * 1000 if rest else None


@dataclass(frozen=True)
class Latency:
    """The three times that a budget is about, in milliseconds; None: not asked, not known."""

    first_token: float | None = None
    """From the call to the first visible text."""
    per_token: float | None = None
    """Mean time between tokens after the first one."""
    total: float | None = None
    """From the call to the end."""


@dataclass(frozen=True)
class Action:
    """Something a service did to keep a limit: `amount` tokens, turns or milliseconds."""

    name: Literal[
        "reused_prefix",
        "dropped_turns",
        "shorter_answer",
        "queued",
        "ended_for_pace",
        "ended_for_cost",
    ]
    amount: int

    def __str__(self) -> str:
        return f"{self.name} {self.amount}"


@dataclass(frozen=True)
class BudgetReport:
    """What a request was allowed, what was foretold, what it took."""

    limits: Latency
    on_miss: Literal["degrade", "reject", "report"]
    predicted: Latency
    """Foretold before anything was computed; `total` for the longest answer allowed."""
    actual: Latency
    met: bool
    """Every limit was kept; an answer that was ended at the deadline keeps `total`."""
    missed: tuple[str, ...] = ()
    """For each limit that was not kept: which, by how much, and what took longer than foretold."""
    actions: tuple[Action, ...] = ()
    queued: float = 0.0
    """Milliseconds spent waiting for other requests, all together."""


@dataclass(frozen=True)
class CostReport:
    """What a request cost, in the money of the prices given to `serve`."""

    total: float
    per_token: float
    """`total` over the tokens of the answer (over one for an empty one)."""
    joules: float
    energy_source: str
    """"rapl", "battery", "hwmon": measured; "estimated": busy time times a declared power."""
    busy_ms: float
    """Time the engine worked for this request."""
    limit: float | None = None
    met: bool = True


@dataclass(frozen=True)
class Receipt:
    """All that replays a request bit for bit, except its prompt, of which it has the hash."""

    id: str
    pack: str
    pack_sha256: str
    graph: str
    prompt_sha256: str
    """Of the prompt's token ids as little-endian int64."""
    sampling: dict[str, Any]
    """All sampling arguments in force, the seed included."""
    response_format: dict[str, Any] | None
    tool_choice: Any
    """As given; the tools themselves are a part of the prompt."""
    edgeward: str
    onnxruntime: str
    instruction_set: str
    cpu_features: tuple[str, ...]
    safety: tuple[dict[str, Any], ...] = ()
    """The safety checks and their settings."""


@dataclass(frozen=True)
class ToolCall:
    """A function that the model wants called; give its result back with the same id."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class BeamResult:
    """One sequence of a beam search."""

    text: str
    token_ids: tuple[int, ...]
    score: float
    """Log-probability / length ** length_penalty."""
    finish_reason: FinishReason


@dataclass(frozen=True)
class Reply:
    """A finished answer; `str(reply)` is its text."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    timing: Timing
    receipt: Receipt
    token_ids: tuple[int, ...]
    """Tokens of the answer; not those whose text a safety check hides."""
    logprobs: tuple[TokenLogprob, ...] | None = field(default=None)
    """One for each of `token_ids` when asked for."""
    stopped_by: str | int | None = None
    """The stop string or end token that ended the answer; None for any other end."""
    parsed: Any = None
    """The value of a complete JSON answer (`response_format`); None otherwise, so also for one that
    was cut: `finish_reason` and `stopped_by` say by what."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Complete calls of the request's tools, in their order; `text` has them as written."""
    content: str | None = None
    """What was said before the first tool call; None without one: then `text` is all."""

    budget: BudgetReport | None = None
    """What a service's latency budget came to; None from a model alone."""
    cost: CostReport | None = None
    """What it cost; None from a model alone."""
    safety: tuple[Verdict, ...] = ()
    """What the checks said: of the prompt, then of the reply (role "assistant")."""

    beams: tuple[BeamResult, ...] = ()
    """The sequences of a beam search, best first; the first one is this answer's text."""

    @property
    def message(self) -> dict[str, Any]:
        """This answer as a message of the conversation, for the next `chat`."""
        if not self.tool_calls:
            return {"role": "assistant", "content": self.text}
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.tool_calls
        ]
        return {"role": "assistant", "content": self.content or "", "tool_calls": calls}

    def __str__(self) -> str:
        return self.text
