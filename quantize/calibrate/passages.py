"""The calibration text as windows of ids, in the model's own chat form where it has one.

Knows the text and tokenizers. Does not know what is measured on it.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import OptionError
from edgeward.quantize.evaluate import measure
from edgeward.quantize.evaluate.pack import beginning
from edgeward.tokenizer import Tokenizer

# Tokens of a window: with eight passages about 1,500 in all, some seconds for a small model.
_LONGEST = 192

# Tokens of a window of a text that is no talk.
_WINDOW = 512


def text() -> str:
    """Eight questions with their answers, of our own: prose, a letter, code, sums, languages."""
    return files("edgeward.quantize.calibrate").joinpath("text.txt").read_text("utf-8")


def windows(tokenizer: Tokenizer, context: int) -> NDArray[np.int64]:
    """Ids of the passages, int64 (passages, length), all cut to one length within `context`.

    Each window begins as a prompt does: the first position of a model has activations like no
    other, and the tokens of the chat form come next.
    """
    ids = [_ids(passage, tokenizer) for passage in text().split("\n%%\n")]
    length = min(_LONGEST, context, *map(len, ids))
    if length < 2:
        raise OptionError(f"the tokenizer or the context of {context} leaves no text to read.")
    return np.asarray([row[:length] for row in ids], np.int64)


def cut(tokenizer: Tokenizer, content: str, context: int) -> NDArray[np.int64]:
    """A user's text as windows of up to 512 ids, each begun as the tokenizer begins a text."""
    ids = tokenizer.encode(content, add_special_tokens=False)
    first = beginning(tokenizer)
    length = min(_WINDOW, context, len(ids) + len(first))
    if length < len(first) + 2:
        raise OptionError(
            f"the calibration text has {len(ids)} tokens: too few. Give a longer one."
        )
    return measure.cut(ids, length, begin=first)


def _ids(passage: str, tokenizer: Tokenizer) -> list[int]:
    question, _, answer = passage.partition("\n")
    if tokenizer.chat_template is None:
        return tokenizer.encode(passage)
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    rendered = tokenizer.apply_chat_template(messages, add_generation_prompt=False)
    return tokenizer.encode(rendered, add_special_tokens=False)
