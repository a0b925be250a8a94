"""Sampling arguments that are said in words, or by another project's name, as `SamplingOptions`.

Knows: `bad_words` (vLLM), `dry_sequence_breakers` and other names of llama.cpp, a tokenizer. Does
not know: what the settings do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import checks
from .errors import OptionError
from .tokenizer import Tokenizer

# llama.cpp's name -> ours. Of the windows -1 is "all", which is 0 here, and 0 is "off".
_NAMES = {"repeat_penalty": "repetition_penalty", "typ_p": "typical_p"}
_WINDOWS = {"repeat_last_n": "penalty_window", "dry_penalty_last_n": "dry_window"}
_STRINGS = ("bad_words", "dry_sequence_breakers")


def resolved(arguments: Mapping[str, Any], tokenizer: Tokenizer, choices: int) -> dict[str, Any]:
    """`arguments` under the names of `SamplingOptions`, strings as tokens below `choices`.

    Raises `OptionError` for a string that makes no tokens, a window that is no window, and a
    setting given under two names.
    """
    plain = {name: value for name, value in arguments.items() if value is not None}
    for name, ours in (_NAMES | _WINDOWS).items():
        if name not in plain:
            continue
        if ours in plain:
            raise OptionError(f"{name} is another name of {ours}; give one of them.")
        value = plain.pop(name)
        plain[ours] = _window(name, value) if name in _WINDOWS else value
    if words := checks.strings("bad_words", plain.pop("bad_words", ())):
        given = checks.token_sequences("bad_words_ids", plain.get("bad_words_ids", ()))
        plain["bad_words_ids"] = (*given, *bad_words_ids(words, tokenizer))
    breakers = checks.strings("dry_sequence_breakers", plain.pop("dry_sequence_breakers", ()))
    if breakers:
        ids = checks.token_ids("dry_breaker_ids", plain.get("dry_breaker_ids", ()))
        plain["dry_breaker_ids"] = (*ids, *breaker_ids(breakers, tokenizer, choices))
    return plain


def bad_words_ids(words: tuple[str, ...], tokenizer: Tokenizer) -> list[tuple[int, ...]]:
    """The sequences of tokens that the model itself would write each word with.

    As in vLLM a word is meant at the start of a text and behind a space, so each is tokenized
    alone and with a space before it (a space the word begins with counts as neither). The second
    is left out where it only puts tokens before the first. vLLM also leaves it out where it has
    another number of tokens, and then lets it through. Spellings out of other tokens are not
    looked for, as in vLLM.
    """
    found: list[tuple[int, ...]] = []
    for word in words:
        bare = word.lstrip()
        if not bare:
            raise checks.refusal("bad_words", word, "words of more than white space")
        alone = tuple(tokenizer.encode(bare, add_special_tokens=False))
        spaced = tuple(tokenizer.encode(" " + bare, add_special_tokens=False))
        found.append(alone)
        if spaced[-len(alone) :] != alone:
            found.append(spaced)
    return found


def breaker_ids(breakers: tuple[str, ...], tokenizer: Tokenizer, choices: int) -> list[int]:
    """All tokens whose text holds one of the strings: no run of DRY goes across them.

    llama.cpp also knows breakers that only several tokens together make; here that is an
    `OptionError`.
    """
    wanted = [breaker.encode("utf-8", "surrogatepass") for breaker in breakers]
    found: set[int] = set()
    missing = set(wanted)
    for id in range(choices):
        raw = tokenizer.token_bytes(id)
        inside = [breaker for breaker in wanted if breaker in raw]
        if inside:
            found.add(id)
            missing.difference_update(inside)
    if missing:
        breaker = breakers[wanted.index(min(missing))]
        raise OptionError(
            f"dry_sequence_breakers has {breaker!r}, which no single token of this model holds; "
            f"give a shorter string, such as one character of it."
        )
    return sorted(found)


def _window(name: str, value: Any) -> int:
    legal = "a whole number of at least 1, or -1 for all (leave the penalty itself out for off)"
    size: int = checks.whole(-1, 2**63 - 1, legal)(name, value)
    if size == 0:
        raise checks.refusal(name, value, legal)
    return max(0, size)
