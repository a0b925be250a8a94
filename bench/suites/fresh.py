"""Prompts that share no beginning with those before them, so that no cached prefix helps."""

from __future__ import annotations

from edgeward.model import Model

from .model import prompt_ids


def fresh_ids(model: Model, count: int, number: int) -> list[int]:
    """`count` tokens of prose behind one that tells this prompt from its neighbours by `number`."""
    vocabulary = min(model.info.architecture.vocabulary, model.tokenizer.vocab_size)
    return [number * 7919 % vocabulary, *prompt_ids(model, count, number)[1:]]
