"""Ours and a peer on the same prompts, in turns: A B, B A, A B ... Only ratios count.

Machines drift within minutes, so each round runs both and its ratio is one sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import edgeward
from edgeward.model import Model

from ..peers import Peer
from ..stats import Summary, summarize
from .model import Setting, check_answer, prompt_ids


@dataclass
class Versus:
    """Figures of both sides and their ratios (above 1: ours is faster)."""

    figures: dict[str, Summary] = field(default_factory=dict)
    same_tokens: float = 0.0
    """Share of greedy tokens that agree before the first difference, over all rounds."""


def run(
    name: str, peer: Peer, setting: Setting, progress: Callable[[str, int, int], None]
) -> Versus:
    """Run `setting.repeats` rounds after one warm-up."""
    with edgeward.load(name, threads=setting.threads, graph=setting.graph) as model:
        them = f"{peer.name} {peer.version}"
        sides = (partial(_ours, model), partial(_theirs, peer))
        return _in_turns(model, sides, ("edgeward", them), setting, progress)


def run_graphs(
    name: str, other: str, setting: Setting, progress: Callable[[str, int, int], None]
) -> Versus:
    """The graph of `setting` against the graph `other` of the same pack."""
    with (
        edgeward.load(name, threads=setting.threads, graph=setting.graph) as model,
        edgeward.load(name, threads=setting.threads, graph=other) as second,
    ):
        check_answer(second)
        sides = (partial(_ours, model), partial(_ours, second))
        names = (setting.graph or model.info.graph_kind, other)
        return _in_turns(model, sides, names, setting, progress)


Side = Callable[[list[int], int], tuple[float, float, list[int]]]


def _in_turns(
    model: Model,
    sides: tuple[Side, Side],
    names: tuple[str, str],
    setting: Setting,
    progress: Callable[[str, int, int], None],
) -> Versus:
    rounds: list[tuple[float, float, float, float]] = []
    agreed = []
    check_answer(model)
    for i in range(setting.repeats + 1):
        progress(f"against {names[1]}", i, setting.repeats + 1)
        ids = prompt_ids(model, setting.prompt, i)
        order = (0, 1) if i % 2 else (1, 0)
        found = {side: sides[side](ids, setting.generate) for side in order}
        if i > 0:
            rounds.append((found[0][0], found[1][0], found[0][1], found[1][1]))
            agreed.append(_common(found[0][2], found[1][2]) / setting.generate)
    return _figures(rounds, agreed, names)


def _ours(model: Model, ids: list[int], generate: int) -> tuple[float, float, list[int]]:
    reply = model.generate(ids, max_tokens=generate, temperature=0, ignore_eos=True)
    computed = reply.usage.prompt_tokens - reply.usage.cached_tokens
    decode = reply.timing.decode_tokens_per_second or 0.0
    return computed / reply.timing.prefill * 1000, decode, list(reply.token_ids)


def _theirs(peer: Peer, ids: list[int], generate: int) -> tuple[float, float, list[int]]:
    answer = peer.run(ids, generate)
    return (
        len(ids) / answer["prefill_s"],
        (generate - 1) / answer["decode_s"],
        answer["ids"],
    )


def _common(ours: list[int], theirs: list[int]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def _figures(
    rounds: list[tuple[float, float, float, float]], agreed: list[float], names: tuple[str, str]
) -> Versus:
    prefill, their_prefill, decode, their_decode = ([r[i] for r in rounds] for i in range(4))
    us, them = names
    figures = {
        f"prefill, {us}": summarize(prefill, "tokens/s"),
        f"prefill, {them}": summarize(their_prefill, "tokens/s"),
        "prefill, ratio": summarize([r[0] / r[1] for r in rounds], "x"),
        f"decode, {us}": summarize(decode, "tokens/s"),
        f"decode, {them}": summarize(their_decode, "tokens/s"),
        "decode, ratio": summarize([r[2] / r[3] for r in rounds], "x"),
    }
    return Versus(figures, sum(agreed) / len(agreed))
