"""Request bodies: OpenAI's fields and ours, checked, and as arguments of a service.

Knows: fields and their types. What an argument may be is the service's to say; a field that is not
in the lists below is refused by name, never ignored.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from edgeward.service.budget import Budget

from .problems import Problem

Number = int | float
T = TypeVar("T")


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """`latency_budget` as an object; as a number it is `first_token`."""

    first_token: Number | None = None
    per_token: Number | None = None
    total: Number | None = None
    on_miss: str = "degrade"


class Extension(msgspec.Struct, forbid_unknown_fields=True):
    """The field `edgeward` of a request."""

    latency_budget: Number | Limits | msgspec.UnsetType | None = msgspec.UNSET
    cost_per_token: Number | msgspec.UnsetType | None = msgspec.UNSET
    session: str | None = None
    priority: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of `Service.chat`; those that were not given are left out."""
        made: dict[str, Any] = {}
        budget = self.latency_budget
        if isinstance(budget, Limits):
            made["latency_budget"] = Budget(**msgspec.structs.asdict(budget))
        elif budget is not msgspec.UNSET:
            made["latency_budget"] = budget
        if self.cost_per_token is not msgspec.UNSET:
            made["cost_per_token"] = self.cost_per_token
        if self.session is not None:
            made["session"] = self.session
        if self.priority is not None:
            made["priority"] = self.priority
        return made


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`stream_options`."""

    include_usage: bool = False
    include_obfuscation: bool = False


class _Common(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    user: str | None = None
    edgeward: Extension | None = None
    # How tokens are drawn: passed on as they are.
    max_tokens: int | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_k: int | None = None
    min_p: Number | None = None
    typical_p: Number | None = None
    repetition_penalty: Number | None = None
    frequency_penalty: Number | None = None
    presence_penalty: Number | None = None
    logit_bias: dict[str, Number] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None

    def sampling(self) -> dict[str, Any]:
        """The sampling arguments that were given."""
        if self.n not in (None, 1):
            raise Problem(400, f"n is {self.n}; this server gives one answer a call.", param="n")
        named = {name: getattr(self, name) for name in _SAMPLING}
        return {name: value for name, value in named.items() if value is not None}


_SAMPLING = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
    "stop",
    "min_tokens",
    "ignore_eos",
)


class ChatRequest(_Common, forbid_unknown_fields=True, kw_only=True):
    """Body of /v1/chat/completions."""

    messages: list[dict[str, Any]]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of `Service.chat`, without the messages."""
        if self.store:
            raise Problem(400, "store is true; this server stores no answers.", param="store")
        if self.tools and self.parallel_tool_calls is False:
            raise Problem(
                400,
                "parallel_tool_calls is false, and this server does not bound the number of calls; "
                "leave it out.",
                param="parallel_tool_calls",
            )
        made = self.sampling()
        if self.max_completion_tokens is not None:
            if self.max_tokens not in (None, self.max_completion_tokens):
                raise Problem(
                    400,
                    f"max_tokens is {self.max_tokens} and max_completion_tokens is "
                    f"{self.max_completion_tokens}; give one of them.",
                    param="max_tokens",
                )
            made["max_tokens"] = self.max_completion_tokens
        if self.logprobs:
            made["logprobs"] = self.top_logprobs or 0
        elif self.top_logprobs is not None:
            raise Problem(400, "top_logprobs needs logprobs to be true.", param="top_logprobs")
        for name in ("tools", "tool_choice", "response_format"):
            if getattr(self, name) is not None:
                made[name] = getattr(self, name)
        if made.get("response_format") == {"type": "text"}:
            del made["response_format"]
        return made | (self.edgeward.arguments() if self.edgeward else {})


class CompletionRequest(_Common, forbid_unknown_fields=True, kw_only=True):
    """Body of /v1/completions."""

    prompt: str | list[str | int]
    logprobs: int | None = None
    echo: bool | None = None
    best_of: int | None = None
    suffix: str | None = None
    response_format: dict[str, Any] | None = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of `Service.generate`, without the prompt."""
        for name in ("echo", "suffix"):
            if getattr(self, name):
                raise Problem(400, f"{name} is not supported; leave it out.", param=name)
        if self.best_of not in (None, 1):
            raise Problem(400, f"best_of is {self.best_of}; only 1 is possible.", param="best_of")
        made = self.sampling()
        if self.logprobs is not None:
            made["logprobs"] = self.logprobs
        if self.response_format is not None:
            made["response_format"] = self.response_format
        return made | (self.edgeward.arguments() if self.edgeward else {})

    def one_prompt(self) -> str | list[int]:
        """The prompt; a list of one text is that text."""
        if isinstance(self.prompt, str):
            return self.prompt
        ids = [token for token in self.prompt if isinstance(token, int)]
        texts = [text for text in self.prompt if isinstance(text, str)]
        if not texts:
            return ids
        if ids or len(texts) > 1:
            raise Problem(
                400,
                f"prompt has {len(self.prompt)} texts; this server answers one a call, or a list "
                f"of token ids.",
                param="prompt",
            )
        return texts[0]


class EmbeddingRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Body of /v1/embeddings."""

    model: str
    input: str | list[str]
    encoding_format: str = "float"
    dimensions: int | None = None
    user: str | None = None


class FeedbackRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Body of /v1/feedback, which is ours."""

    receipt: str
    score: int
    comment: str | None = None


def read(raw: bytes, kind: type[T]) -> T:
    """Decode a body. Raises `Problem` naming the field that is wrong."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(400, _plain(str(error)), param=_field(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is no JSON in UTF-8: {error}.", code="bad_json") from None


def _plain(message: str) -> str:
    return message.replace("Object contains unknown field", "unrecognized field") + "."


def _field(message: str) -> str | None:
    """The field that msgspec's message is about."""
    if "`$." in message:
        return message.rpartition("`$.")[2].partition("`")[0]
    if "field `" in message:
        return message.partition("field `")[2].partition("`")[0]
    return None
